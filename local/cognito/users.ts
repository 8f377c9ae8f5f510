/** The users of pools, and their refresh tokens. */
import { createHash, randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Cloud } from '../platform.ts';
import type { Pool } from './pools.ts';

export type UserStatus = 'FORCE_CHANGE_PASSWORD' | 'CONFIRMED';

export interface User {
  poolId: string;
  /** Also the username in pools that sign in by email. */
  sub: string;
  username: string;
  attributes: Record<string, string>;
  status: UserStatus;
  enabled: boolean;
  passwordHash: string | null;
  passwordSetAt: number;
  createdAt: number;
  changedAt: number;
}

export type UserStore = ReturnType<typeof openUserStore>;

function hashPassword(password: string): string {
  const salt = randomBytes(16);
  return `${salt.toString('base64')}.${scryptSync(password, salt, 32).toString('base64')}`;
}

export function passwordMatches(password: string, hash: string | null): boolean {
  const [salt = '', wanted = ''] = (hash ?? '').split('.');
  const expected = Buffer.from(wanted, 'base64');
  const actual = scryptSync(password, Buffer.from(salt, 'base64'), 32);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

const tokenHash = (token: string): string => createHash('sha256').update(token).digest('base64');

export function openUserStore(cloud: Cloud) {
  const { db } = cloud;
  db.exec(`
    CREATE TABLE IF NOT EXISTS cognito_users (
      pool_id TEXT NOT NULL, sub TEXT NOT NULL, login TEXT NOT NULL, username TEXT NOT NULL, attributes TEXT NOT NULL,
      status TEXT NOT NULL, enabled INTEGER NOT NULL, password_hash TEXT, password_set_at INTEGER NOT NULL,
      created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
      PRIMARY KEY (pool_id, sub), UNIQUE (pool_id, login));
    CREATE TABLE IF NOT EXISTS cognito_refresh_tokens (
      hash TEXT PRIMARY KEY, pool_id TEXT NOT NULL, client_id TEXT NOT NULL, sub TEXT NOT NULL,
      signed_in_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
  `);
  const now = (): number => cloud.now().getTime();
  const columns = `pool_id AS poolId, sub, username, attributes, status, enabled, password_hash AS passwordHash,
    password_set_at AS passwordSetAt, created_at AS createdAt, changed_at AS changedAt`;
  const read = (row: Record<string, unknown> | undefined): User | undefined =>
    row && {
      ...(row as unknown as User),
      attributes: JSON.parse(String(row.attributes)),
      enabled: row.enabled === 1,
    };
  const fold = (pool: Pool, login: string): string => (pool.caseSensitive ? login : login.toLowerCase());

  return {
    /** By what they sign in with, or by username. */
    find: (pool: Pool, name: string): User | undefined =>
      read(
        db
          .prepare(`SELECT ${columns} FROM cognito_users WHERE pool_id = ? AND (login = ? OR username = ?)`)
          .get(pool.id, fold(pool, name), fold(pool, name)),
      ),
    /** In the order in which they came. */
    list: (pool: Pool): User[] =>
      db
        .prepare(`SELECT ${columns} FROM cognito_users WHERE pool_id = ? ORDER BY created_at, sub`)
        .all(pool.id)
        .flatMap((row) => read(row) ?? []),
    bySub: (poolId: string, sub: string): User | undefined =>
      read(db.prepare(`SELECT ${columns} FROM cognito_users WHERE pool_id = ? AND sub = ?`).get(poolId, sub)),
    add(pool: Pool, login: string, attributes: Record<string, string>, password: string): User {
      const sub = randomUUID();
      const username = pool.byEmail ? sub : fold(pool, login);
      db.prepare('INSERT INTO cognito_users VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)').run(
        pool.id,
        sub,
        fold(pool, login),
        username,
        JSON.stringify({ ...attributes, sub }),
        'FORCE_CHANGE_PASSWORD',
        hashPassword(password),
        now(),
        now(),
        now(),
      );
      return this.bySub(pool.id, sub) as User;
    },
    setPassword(user: User, password: string, status: UserStatus): void {
      db.prepare(
        'UPDATE cognito_users SET password_hash = ?, password_set_at = ?, status = ?, changed_at = ? WHERE pool_id = ? AND sub = ?',
      ).run(hashPassword(password), now(), status, now(), user.poolId, user.sub);
    },
    setEnabled(user: User, enabled: boolean): void {
      db.prepare('UPDATE cognito_users SET enabled = ?, changed_at = ? WHERE pool_id = ? AND sub = ?').run(
        enabled ? 1 : 0,
        now(),
        user.poolId,
        user.sub,
      );
    },
    remove(user: User): void {
      this.signOut(user);
      db.prepare('DELETE FROM cognito_users WHERE pool_id = ? AND sub = ?').run(user.poolId, user.sub);
    },
    addRefreshToken(user: User, clientId: string, lifetimeSeconds: number): string {
      const token = randomBytes(64).toString('base64url');
      db.prepare('INSERT INTO cognito_refresh_tokens VALUES (?, ?, ?, ?, ?, ?)').run(
        tokenHash(token),
        user.poolId,
        clientId,
        user.sub,
        now(),
        now() + lifetimeSeconds * 1000,
      );
      return token;
    },
    /** Whose token it is, while it is valid. */
    refreshedBy(token: string, clientId: string): { user: User; signedInAt: number } | undefined {
      const row = db
        .prepare('SELECT * FROM cognito_refresh_tokens WHERE hash = ? AND client_id = ? AND expires_at > ?')
        .get(tokenHash(token), clientId, now());
      const user = row && this.bySub(String(row.pool_id), String(row.sub));
      return user && { user, signedInAt: Number(row.signed_in_at) };
    },
    /** Ends all refresh tokens of a user. */
    signOut(user: User): void {
      db.prepare('DELETE FROM cognito_refresh_tokens WHERE pool_id = ? AND sub = ?').run(
        user.poolId,
        user.sub,
      );
    },
    expire(): void {
      db.prepare('DELETE FROM cognito_refresh_tokens WHERE expires_at <= ?').run(now());
    },
  };
}

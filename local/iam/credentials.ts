/** Keys and the principals behind them. Written down, so that they outlive a restart. */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError, type Cloud, type Principal, type TemporaryCredentials } from '../platform.ts';
import type { Roles } from './roles.ts';

/** A key as the signature check needs it. */
export interface Key {
  accessKeyId: string;
  secretAccessKey: string;
  /** Empty for the operator's own, permanent key. */
  sessionToken: string;
  expiresAt: number;
  principal: Principal;
}

const schema = `
  CREATE TABLE IF NOT EXISTS iam_keys (
    access_key_id TEXT PRIMARY KEY, secret_access_key TEXT NOT NULL, session_token TEXT NOT NULL,
    principal TEXT NOT NULL, expires_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS iam_credential_urls (
    id TEXT PRIMARY KEY, role_arn TEXT NOT NULL, service_principal TEXT NOT NULL, session_name TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS iam_ended_sessions (name TEXT PRIMARY KEY, ended_at INTEGER NOT NULL);
`;

const never = Number.MAX_SAFE_INTEGER;

/** An access key id has 16 characters of base 32 after its prefix. */
function accessKeyId(prefix: 'AKIA' | 'ASIA'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(16), (byte) => alphabet[byte % 32]).join('');
}

export class Credentials {
  private readonly db: DatabaseSync;
  private readonly roles: Roles;
  private readonly now: () => Date;
  private readonly keys = new Map<string, Key>();
  private readonly endedSessions: Set<string>;

  constructor(cloud: Pick<Cloud, 'db' | 'now'>, roles: Roles) {
    this.db = cloud.db;
    this.now = cloud.now;
    this.roles = roles;
    this.db.exec(schema);
    const ended = this.db.prepare('SELECT name FROM iam_ended_sessions').all();
    this.endedSessions = new Set(ended.map(({ name }) => String(name)));
  }

  /** Forgets keys that expired more than a day ago; until then their holders hear that they are expired. */
  purge(): void {
    const before = this.now().getTime() - 86_400_000;
    this.db.prepare('DELETE FROM iam_keys WHERE expires_at < ?').run(before);
    for (const [id, { expiresAt }] of this.keys) if (expiresAt < before) this.keys.delete(id);
    // No key lives for a day, so none of an older session is left.
    const forgotten = this.db
      .prepare('DELETE FROM iam_ended_sessions WHERE ended_at < ? RETURNING name')
      .all(before);
    for (const { name } of forgotten) this.endedSessions.delete(String(name));
  }

  /** The operator's key: made once per home. */
  root(accountId: string): Key {
    const row = this.db.prepare('SELECT access_key_id FROM iam_keys WHERE expires_at = ?').get(never);
    const existing = row && this.find(String(row.access_key_id));
    return (
      existing ??
      this.create('AKIA', { arn: `arn:aws:iam::${accountId}:root`, kind: 'root', sessionName: '' }, never)
    );
  }

  private create(prefix: 'AKIA' | 'ASIA', principal: Principal, expiresAt: number): Key {
    const key: Key = {
      accessKeyId: accessKeyId(prefix),
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: prefix === 'ASIA' ? randomBytes(96).toString('base64') : '',
      expiresAt,
      principal,
    };
    this.db
      .prepare('INSERT INTO iam_keys VALUES (?, ?, ?, ?, ?)')
      .run(key.accessKeyId, key.secretAccessKey, key.sessionToken, JSON.stringify(principal), expiresAt);
    this.keys.set(key.accessKeyId, key);
    return key;
  }

  /** Ends a session before its time: a task or build that is over needs no keys. */
  endSession(name: string): void {
    this.endedSessions.add(name);
    this.db.prepare('INSERT OR IGNORE INTO iam_ended_sessions VALUES (?, ?)').run(name, this.now().getTime());
    this.db.prepare('DELETE FROM iam_credential_urls WHERE session_name = ?').run(name);
  }

  hasEnded({ origin, sessionName }: Principal): boolean {
    return this.endedSessions.has(origin ?? sessionName);
  }

  /** The key with this id, expired or not. That of a session which has ended counts as expired. */
  find(id: string): Key | undefined {
    const key = this.lookUp(id);
    return key && this.hasEnded(key.principal) ? { ...key, expiresAt: 0 } : key;
  }

  private lookUp(id: string): Key | undefined {
    const cached = this.keys.get(id);
    if (cached) return cached;
    const row = this.db.prepare('SELECT * FROM iam_keys WHERE access_key_id = ?').get(id);
    if (!row) return undefined;
    const key: Key = {
      accessKeyId: id,
      secretAccessKey: String(row.secret_access_key),
      sessionToken: String(row.session_token),
      expiresAt: Number(row.expires_at),
      principal: JSON.parse(String(row.principal)) as Principal,
    };
    this.keys.set(id, key);
    return key;
  }

  /** @throws AwsError `AccessDeniedException` unless the role's trust policy admits the service */
  issue(
    roleArn: string,
    servicePrincipal: string,
    sessionName: string,
    durationSeconds = 3600,
  ): TemporaryCredentials {
    if (!this.roles.admits(roleArn, 'Service', [servicePrincipal])) {
      throw new AwsError(
        'AccessDeniedException',
        `${servicePrincipal} is not authorized to assume role ${roleArn}`,
      );
    }
    return this.issueSession(roleArn, sessionName, durationSeconds);
  }

  /** Credentials of a role, once somebody else has checked that the caller may have them; `origin` as in `Principal`. */
  issueSession(
    roleArn: string,
    sessionName: string,
    durationSeconds: number,
    origin?: string,
  ): TemporaryCredentials {
    const expiresAt = this.now().getTime() + durationSeconds * 1000;
    const key = this.create('ASIA', { arn: roleArn, kind: 'role', sessionName, origin }, expiresAt);
    return {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
      sessionToken: key.sessionToken,
      expiration: new Date(expiresAt),
    };
  }

  /** A path below the endpoint that hands out the role's credentials; the id is the only secret. */
  path(roleArn: string, servicePrincipal: string, sessionName: string): string {
    if (!this.roles.admits(roleArn, 'Service', [servicePrincipal])) {
      throw new AwsError(
        'AccessDeniedException',
        `${servicePrincipal} is not authorized to assume role ${roleArn}`,
      );
    }
    const id = randomBytes(24).toString('base64url');
    this.db
      .prepare('INSERT INTO iam_credential_urls VALUES (?, ?, ?, ?)')
      .run(id, roleArn, servicePrincipal, sessionName);
    return `/_credentials/${id}`;
  }

  /** What `/_credentials/<id>` answers, as the container credential provider reads it; undefined for an unknown id, or once the session has ended. */
  read(id: string): object | undefined {
    const row = this.db.prepare('SELECT * FROM iam_credential_urls WHERE id = ?').get(id);
    if (!row) return undefined;
    const issued = this.issue(String(row.role_arn), String(row.service_principal), String(row.session_name));
    return {
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secretAccessKey,
      Token: issued.sessionToken,
      Expiration: issued.expiration.toISOString(),
      RoleArn: row.role_arn,
    };
  }
}

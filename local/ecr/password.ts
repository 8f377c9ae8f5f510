/** ECR passwords: they carry the principal that asked, so that the registry can evaluate its policies on each request. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Principal } from '../platform.ts';

export interface Passwords {
  /** A password for `principal` that works until `expiresAt`. */
  issue(principal: Principal, expiresAt: Date): string;
  /** Who the password belongs to; `expired` and `invalid` say why it is refused. */
  verify(password: string, now: Date): Principal | 'expired' | 'invalid';
}

/** Passwords signed with a key that is made once and kept in the database, so that they survive a restart. */
export function createPasswords(db: DatabaseSync): Passwords {
  db.exec(
    'CREATE TABLE IF NOT EXISTS ecr_password_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL)',
  );
  db.prepare('INSERT OR IGNORE INTO ecr_password_key VALUES (1, ?)').run(randomBytes(32));
  const { key } = db.prepare('SELECT key FROM ecr_password_key').get() as { key: Uint8Array };
  const sign = (body: string) => createHmac('sha256', key).update(body).digest();

  return {
    issue(principal, expiresAt) {
      const body = Buffer.from(JSON.stringify({ principal, expiresAt: expiresAt.getTime() })).toString(
        'base64url',
      );
      return `${body}.${sign(body).toString('base64url')}`;
    },
    verify(password, now) {
      const [body = '', signature = ''] = password.split('.');
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(body);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'invalid';
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as {
        principal: Principal;
        expiresAt: number;
      };
      return claims.expiresAt > now.getTime() ? claims.principal : 'expired';
    },
  };
}

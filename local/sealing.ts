/** Encryption at rest: AES-256-GCM under a key file that only the owner can read. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from './platform.ts';

export interface Sealing {
  /** `purpose` must be the same again when opening: it ties a value to its place. */
  seal(plain: string, purpose: string): Buffer;
  open(sealed: Uint8Array, purpose: string): string;
}

function readOrMakeKey(path: string): Buffer {
  // A key appears whole or not at all, and never replaces one that values are sealed with.
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(fresh, randomBytes(32), { mode: 0o600 });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(fresh);
  }
  const key = readFileSync(path);
  if (key.length !== 32)
    throw new Error(
      `${path} must be a key of 32 bytes: without it, stored secrets can't be read. Restore it from a copy.`,
    );
  return key;
}

/** Notices another key than the one that values are sealed with, before anything is read or written with it. */
function checkKey({ db, home }: Pick<Cloud, 'db' | 'home'>, key: Buffer): void {
  db.exec(
    'CREATE TABLE IF NOT EXISTS sealing_key (one INTEGER PRIMARY KEY CHECK (one = 1), digest TEXT NOT NULL)',
  );
  const digest = createHash('sha256').update('slipway key check').update(key).digest('hex');
  db.prepare('INSERT OR IGNORE INTO sealing_key VALUES (1, ?)').run(digest);
  if (db.prepare('SELECT digest FROM sealing_key').get()?.digest !== digest)
    throw new Error(
      `${join(home, 'secrets.key')} is not the key that encrypts the secrets in ${join(home, 'cloud.db')}. Restore that key, or remove ${home} to start empty.`,
    );
}

/** Sealing with the key file `secrets.key` of the state directory, made at the first use. Throws an Error for a wrong key. */
export function openSealing(cloud: Pick<Cloud, 'db' | 'home'>): Sealing {
  const key = readOrMakeKey(join(cloud.home, 'secrets.key'));
  checkKey(cloud, key);
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
      return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, purpose) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(sealed.subarray(-16));
      return decipher.update(sealed.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

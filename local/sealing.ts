/** Encryption at rest: AES-256-GCM under a key file that only the owner can read. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
  if (key.length !== 32) throw new Error(`${path} is no key of 32 bytes: stored secrets can't be read.`);
  return key;
}

/** Sealing with the key file `secrets.key` of the state directory, made at the first use. */
export function openSealing(home: string): Sealing {
  const key = readOrMakeKey(join(home, 'secrets.key'));
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

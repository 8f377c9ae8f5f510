/** Encrypts what a table keeps for a while and must not show: AES-256-GCM under a key derived from the deployment's own. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Seal {
  seal(text: string): Promise<string>;
  /** Throws where the sealed text was made under another key or changed since. */
  open(sealed: string): Promise<string>;
}

/** `key` fetches the secret that the sealing key is derived from; `purpose` keeps keys of different uses apart. */
export function createSeal(key: () => Promise<string>, purpose: string): Seal {
  const derived = async () => Buffer.from(hkdfSync('sha256', await key(), '', `slipway:${purpose}`, 32));
  return {
    async seal(text) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', await derived(), iv);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
    },
    async open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', await derived(), bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    },
  };
}

/** How a request is remembered under its idempotency key, to tell a repeat from another request. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const slow = promisify<string, Buffer, number, Buffer>(scrypt);

/** A body with a password is hashed slowly and with salt: a fast hash of little unknown text can be guessed. */
export async function requestPrint(text: string, secret: boolean): Promise<string> {
  if (!secret) return createHash('sha256').update(text).digest('hex');
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await slow(text, salt, 32)).toString('hex')}`;
}

export async function samePrint(print: string, text: string): Promise<boolean> {
  const [salt = '', hash] = print.includes(':') ? print.split(':') : [undefined, print];
  const expected = Buffer.from(hash ?? '', 'hex');
  const given = print.includes(':')
    ? await slow(text, Buffer.from(salt, 'hex'), 32)
    : createHash('sha256').update(text).digest();
  return expected.length === given.length && timingSafeEqual(expected, given);
}

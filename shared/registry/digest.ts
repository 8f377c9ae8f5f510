/** Digests: `<algorithm>:<hex>`; the content is what its digest says or it is refused. */
import { hash } from 'node:crypto';
import { RegistryError } from './model.ts';

/** Algorithms are those of the protocol, as `node:crypto` names them. */
const form = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export const sha256Of = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`;

export const isDigest = (text: string): boolean => form.test(text);

/** The algorithm of `digest`. Throws `corrupt` for what is no digest. */
export function requireForm(digest: string, host: string): string {
  if (isDigest(digest)) return digest.split(':')[0] ?? '';
  throw new RegistryError('corrupt', host, `${host} sent an invalid digest: ${digest.slice(0, 150)}`);
}

/** Throws `corrupt` unless `bytes` are those of `digest`. */
export function requireDigest(bytes: Uint8Array, digest: string, host: string): void {
  const algorithm = requireForm(digest, host);
  if (`${algorithm}:${hash(algorithm, bytes)}` !== digest) throw otherBytes(host, digest);
}

export const otherBytes = (host: string, digest: string) =>
  new RegistryError('corrupt', host, `${host} sent data that does not match ${digest}`);

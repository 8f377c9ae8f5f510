/** Digests: `<algorithm>:<hex>`; the content is what its digest says or it is refused. */
import { createHash } from 'node:crypto';
import { RegistryError } from './model.ts';

const algorithms: Record<string, number> = { sha256: 64, sha512: 128 };

export const sha256Of = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const isDigest = (text: string): boolean => {
  const [algorithm = '', hex = ''] = text.split(':');
  return (
    Object.hasOwn(algorithms, algorithm) && hex.length === algorithms[algorithm] && /^[0-9a-f]+$/.test(hex)
  );
};

/** The algorithm of `digest`. Throws `corrupt` for what is no digest. */
export function requireForm(digest: string, host: string): string {
  if (isDigest(digest)) return digest.split(':')[0] ?? '';
  throw new RegistryError('corrupt', host, `${host} named a digest that is none: ${digest.slice(0, 150)}`);
}

/** Throws `corrupt` unless `bytes` are those of `digest`. */
export function requireDigest(bytes: Uint8Array, digest: string, host: string): void {
  const hash = createHash(requireForm(digest, host)).update(bytes);
  if (hash.digest('hex') !== digest.split(':')[1]) throw otherBytes(host, digest);
}

export const otherBytes = (host: string, digest: string) =>
  new RegistryError('corrupt', host, `${host} sent other bytes than those of ${digest}`);

/** Digests: `<algorithm>:<hex>`; the content is what its digest says or it is refused. */
import { createHash, type Hash } from 'node:crypto';
import { Transform } from 'node:stream';
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

/** Throws `corrupt` unless `bytes` are those of `digest`. */
export function requireDigest(bytes: Uint8Array, digest: string, host: string): void {
  if (!isDigest(digest))
    throw new RegistryError('corrupt', host, `${host} named a digest that is none: ${digest.slice(0, 150)}`);
  const hash = hashOf(digest).update(bytes);
  if (!matches(hash, digest)) throw mismatch(host, digest);
}

/** Passes bytes on and ends in `corrupt` where they weren't those of `digest`. */
export function verifying(digest: string, host: string): Transform {
  const hash = hashOf(digest);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(matches(hash, digest) ? null : mismatch(host, digest));
    },
  });
}

const hashOf = (digest: string): Hash => createHash(digest.split(':')[0] ?? 'sha256');
const matches = (hash: Hash, digest: string): boolean => hash.digest('hex') === digest.split(':')[1];
const mismatch = (host: string, digest: string) =>
  new RegistryError('corrupt', host, `${host} sent other bytes than those of ${digest}`);

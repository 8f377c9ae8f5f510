/** Blobs on disk, named by their digest, and the uploads that become blobs. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Layers are read in few large pieces. */
const readBytes = 1024 * 1024;

export const digestPattern = /^sha256:[a-f0-9]{64}$/;

export class DigestMismatchError extends Error {
  override name = 'DigestMismatchError';
}

export interface BlobFiles {
  path(digest: string): string;
  /** Creates an empty upload. */
  begin(uploadId: string): Promise<void>;
  /** Bytes received so far; undefined for an unknown upload. */
  received(uploadId: string): Promise<number | undefined>;
  /** Appends to an upload; resolves with its new size. */
  append(uploadId: string, bytes: Readable | Iterable<Buffer>): Promise<number>;
  /** Makes the upload the blob `digest`; resolves with its size. Throws `DigestMismatchError` when it isn't. */
  commit(uploadId: string, digest: string): Promise<number>;
  abandon(uploadId: string): Promise<void>;
  read(digest: string, range?: { start: number; end: number }): Readable;
  /** Removes blobs for which `isNeeded` is false and uploads, both only if untouched since `before`. */
  sweep(before: Date, isNeeded: (digest: string) => boolean): number;
}

/** Files appear in `blobs/` only by rename, complete and verified: a killed process leaves no half blob. */
export function createBlobFiles(folder: string): BlobFiles {
  const blobs = join(folder, 'blobs', 'sha256');
  const uploads = join(folder, 'uploads');
  mkdirSync(blobs, { recursive: true });
  mkdirSync(uploads, { recursive: true });
  const path = (digest: string) => join(blobs, digest.slice('sha256:'.length));
  const uploadPath = (id: string) => join(uploads, id);
  // Hashes of uploads under way, so that a blob needn't be read again; after a restart it is.
  const hashes = new Map<string, Hash>();

  const hashOf = async (uploadId: string): Promise<Hash> => {
    const running = hashes.get(uploadId);
    if (running) return running;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(uploadPath(uploadId), { highWaterMark: readBytes }))
      hash.update(chunk as Buffer);
    hashes.set(uploadId, hash);
    return hash;
  };

  return {
    path,
    async begin(uploadId) {
      await (await open(uploadPath(uploadId), 'wx')).close();
      hashes.set(uploadId, createHash('sha256'));
    },
    async received(uploadId) {
      try {
        return (await stat(uploadPath(uploadId))).size;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async append(uploadId, bytes) {
      const hash = await hashOf(uploadId);
      const file = await open(uploadPath(uploadId), 'a');
      try {
        for await (const chunk of bytes) {
          await file.writeFile(chunk as Buffer);
          hash.update(chunk as Buffer);
        }
        return (await file.stat()).size;
      } finally {
        await file.close();
      }
    },
    async commit(uploadId, digest) {
      const hash = await hashOf(uploadId);
      if (`sha256:${hash.copy().digest('hex')}` !== digest) throw new DigestMismatchError(digest);
      const { size } = await stat(uploadPath(uploadId));
      await rename(uploadPath(uploadId), path(digest));
      hashes.delete(uploadId);
      return size;
    },
    async abandon(uploadId) {
      hashes.delete(uploadId);
      await rm(uploadPath(uploadId), { force: true });
    },
    read: (digest, range) => createReadStream(path(digest), { ...range, highWaterMark: readBytes }),
    sweep(before, isNeeded) {
      const isOld = (file: string) => statSync(file).mtimeMs < before.getTime();
      const unneeded = readdirSync(blobs).filter((name) => !isNeeded(`sha256:${name}`));
      const stale = [
        ...unneeded.map((name) => join(blobs, name)),
        ...readdirSync(uploads).map(uploadPath),
      ].filter(isOld);
      for (const file of stale) rmSync(file, { force: true });
      return stale.length;
    },
  };
}

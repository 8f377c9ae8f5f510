/** Finds out by its first bytes what an archive is, and unpacks it. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveError } from './archive-error.ts';
import type { Budget } from './budget.ts';
import { Place } from './place.ts';
import { beginsTar, unpackTar } from './tar.ts';
import { unpackZip } from './zip.ts';

/** `folder` exists and is empty. Throws `ArchiveError` for what isn't an archive, leads outside of the folder, or fills it. */
export async function unpack(path: string, folder: string): Promise<void> {
  const { first, sizeBytes } = await beginningOf(path);
  const place = new Place(folder, sizeBytes);
  if (first.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) {
    try {
      await unpackTar(gunzipped(path, place.budget), place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
        throw new ArchiveError('its compressed data is corrupt');
      throw error;
    }
  } else if (['PK\u0003\u0004', 'PK\u0005\u0006'].includes(first.subarray(0, 4).toString('latin1'))) {
    await unpackZip(path, place);
  } else if (beginsTar(first)) {
    await unpackTar(createReadStream(path), place);
  } else {
    throw new ArchiveError('it is neither a tar, a tar.gz nor a zip archive');
  }
}

async function* gunzipped(path: string, budget: Budget): AsyncGenerator<Buffer> {
  const source = createReadStream(path);
  try {
    for await (const chunk of source.pipe(createGunzip())) {
      budget.decompressed((chunk as Buffer).length);
      yield chunk as Buffer;
    }
  } finally {
    source.destroy();
  }
}

async function beginningOf(path: string): Promise<{ first: Buffer; sizeBytes: number }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return { first: buffer.subarray(0, bytesRead), sizeBytes: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

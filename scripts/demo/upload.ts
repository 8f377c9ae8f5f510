/** Packs a folder and uploads it as a build's context, through a URL that is signed for exactly these bytes. */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../command.ts';
import { type Api, ApiError } from './api.ts';

interface Upload {
  id: string;
  url: string;
  headers: Record<string, string>;
}

/** Returns the upload's id, for `contextUploadId`. */
export async function uploadContext(api: Api, folder: string): Promise<string> {
  const archive = await pack(folder);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const upload = await api.post<Upload>('/v1/uploads', {
    kind: 'context',
    sizeBytes: archive.length,
    sha256,
  });
  const answer = await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: archive });
  if (!answer.ok) throw new ApiError('PUT of the context', answer.status, await answer.text());
  return upload.id;
}

async function pack(folder: string): Promise<Buffer<ArrayBuffer>> {
  const file = join(tmpdir(), `slipway-context-${process.pid}.tar.gz`);
  try {
    await run('tar', ['-czf', file, '-C', folder, '.']);
    return await readFile(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** Reading blobs, whole or in part. */
import { pipeline } from 'node:stream/promises';
import {
  answer,
  type Exchange,
  isUnchanged,
  RegistryError,
  type RegistryParts,
  requireDigestForm,
} from './exchange.ts';

export async function getBlob({ cloud, store, files }: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference: digest, request, response } = exchange;
  requireDigestForm(digest);
  const size = store.blobSize(repository, digest);
  if (size === undefined)
    throw new RegistryError(404, 'BLOB_UNKNOWN', `The repository ${repository} has no blob ${digest}`);
  const etag = `"${digest}"`;
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  };
  if (request.method === 'HEAD') {
    // A client that finds a blob here won't send it again: keep it until its manifest has come.
    store.linkBlob(repository, digest, size, cloud.now().getTime());
    if (isUnchanged(exchange, etag, { 'docker-content-digest': digest })) return;
    return answer(exchange, 200, { ...headers, 'content-length': size });
  }
  if (isUnchanged(exchange, etag, { 'docker-content-digest': digest })) return;
  // A part of what has another tag by now would be put together with the rest of something else.
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === etag ? readRange(request.headers.range, size) : undefined;
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'content-length': range ? range.end - range.start + 1 : size,
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  });
  if (size === 0) return void response.end();
  await pipeline(files.read(digest, range), response).catch((error: NodeJS.ErrnoException) => {
    // The client went away in the middle: nothing is wrong here.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

/** A single byte range; undefined where the whole blob is asked for. Throws 416 outside the blob. */
function readRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  // What ends before it begins is no range, and counts for nothing.
  if (match[1] !== '' && match[2] !== '' && Number(match[1]) > Number(match[2])) return undefined;
  const suffix = match[1] === '';
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = suffix || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start > end || start >= size)
    throw new RegistryError(416, 'RANGE_INVALID', 'The requested range is outside the blob', {
      'content-range': `bytes */${size}`,
    });
  return { start, end };
}

/** Receiving blobs: in one piece, in chunks, or from another repository. */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../platform.ts';
import { DigestMismatchError, digestPattern } from '../blob-files.ts';
import { repositoryArn } from '../repositories.ts';
import { answer, type Exchange, RegistryError, type RegistryParts } from './exchange.ts';

/** Uploads that a request is writing to at the moment. */
const busy = new Set<string>();

export async function beginUpload(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, query, request } = exchange;
  const mounted = query.get('mount');
  if (mounted !== null && mount(parts, exchange, mounted)) {
    request.resume();
    return answer(exchange, 201, blobHeaders(repository, mounted));
  }
  const uploadId = randomUUID();
  await parts.files.begin(uploadId);
  const digest = query.get('digest');
  if (digest !== null) return finish(parts, exchange, uploadId, digest);
  request.resume();
  answer(exchange, 202, uploadHeaders(repository, uploadId, 0));
}

export async function appendChunk(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference: uploadId, request } = exchange;
  const received = await requireUpload(parts, uploadId);
  const range = /^(?:bytes )?(\d+)-(\d+)/.exec(request.headers['content-range'] ?? '');
  if (range && Number(range[1]) !== received)
    throw new RegistryError(
      416,
      'BLOB_UPLOAD_INVALID',
      `The next byte is ${received}`,
      uploadHeaders(repository, uploadId, received),
    );
  const size = await exclusively(uploadId, () => parts.files.append(uploadId, request));
  answer(exchange, 202, uploadHeaders(repository, uploadId, size));
}

export async function uploadStatus(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference: uploadId } = exchange;
  answer(exchange, 204, uploadHeaders(repository, uploadId, await requireUpload(parts, uploadId)));
}

export async function completeUpload(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { query, reference: uploadId } = exchange;
  await requireUpload(parts, uploadId);
  const digest = query.get('digest');
  if (digest === null) throw new RegistryError(400, 'DIGEST_INVALID', 'The digest of the blob is missing');
  await finish(parts, exchange, uploadId, digest);
}

export async function cancelUpload(parts: RegistryParts, exchange: Exchange): Promise<void> {
  await requireUpload(parts, exchange.reference);
  await exclusively(exchange.reference, () => parts.files.abandon(exchange.reference));
  answer(exchange, 204);
}

async function finish(
  parts: RegistryParts,
  exchange: Exchange,
  uploadId: string,
  digest: string,
): Promise<void> {
  const { cloud, store, files } = parts;
  const { repository, request } = exchange;
  if (!digestPattern.test(digest))
    throw new RegistryError(400, 'DIGEST_INVALID', `'${digest}' is no SHA-256 digest`);
  await exclusively(uploadId, async () => {
    try {
      await files.append(uploadId, request);
      store.linkBlob(repository, digest, await files.commit(uploadId, digest), cloud.now().getTime());
    } catch (error) {
      if (!(error instanceof DigestMismatchError)) throw error;
      await files.abandon(uploadId);
      throw new RegistryError(400, 'DIGEST_INVALID', `The uploaded bytes don't have the digest ${digest}`);
    }
  });
  answer(exchange, 201, blobHeaders(repository, digest));
}

/** Links a blob of another repository that the caller may read; false means that it must be uploaded. */
function mount({ cloud, store }: RegistryParts, exchange: Exchange, digest: string): boolean {
  const from = exchange.query.get('from');
  const size = from === null ? undefined : store.blobSize(from, digest);
  if (from === null || size === undefined) return false;
  try {
    cloud.authorize(exchange.principal, 'ecr:GetDownloadUrlForLayer', repositoryArn(cloud, from));
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
  store.linkBlob(exchange.repository, digest, size, cloud.now().getTime());
  return true;
}

async function requireUpload({ files }: RegistryParts, uploadId: string): Promise<number> {
  const received = /^[0-9a-f-]{36}$/.test(uploadId) ? await files.received(uploadId) : undefined;
  if (received === undefined)
    throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', `There is no upload ${uploadId}`);
  return received;
}

async function exclusively<T>(uploadId: string, work: () => Promise<T>): Promise<T> {
  if (busy.has(uploadId))
    throw new RegistryError(409, 'BLOB_UPLOAD_INVALID', 'Another request is writing to this upload');
  busy.add(uploadId);
  try {
    return await work();
  } finally {
    busy.delete(uploadId);
  }
}

const blobHeaders = (repository: string, digest: string) => ({
  location: `/v2/${repository}/blobs/${digest}`,
  'docker-content-digest': digest,
});

const uploadHeaders = (repository: string, uploadId: string, received: number) => ({
  location: `/v2/${repository}/blobs/uploads/${uploadId}`,
  range: `0-${Math.max(0, received - 1)}`,
  'docker-upload-uuid': uploadId,
});

/** Receiving blobs: in one piece, in chunks, or from another repository. */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../platform.ts';
import { DigestMismatchError, digestPattern } from '../blob-files.ts';
import { isSameEncryption } from '../encryption.ts';
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
  parts.store.beginUpload(uploadId, repository, parts.cloud.now().getTime());
  await parts.files.begin(uploadId);
  const digest = query.get('digest');
  if (digest !== null) return finish(parts, exchange, uploadId, digest);
  request.resume();
  answer(exchange, 202, uploadHeaders(repository, uploadId, 0));
}

/**
 * As ECR does it (containers-roadmap#2831): the answer is 201, and the `Range` that it tells stays that of the first part.
 * Users differ about what becomes of the parts after it; here they are lost, so that nothing is built on them.
 */
export async function appendChunk(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference: uploadId, request } = exchange;
  const { store, files } = parts;
  const { received, sentBytes } = await requireUpload(parts, exchange);
  requireNext(exchange, received, sentBytes ?? received);
  const size = await exclusively(uploadId, async () => {
    if (sentBytes === undefined) {
      const first = await files.append(uploadId, request);
      store.noteSent(uploadId, first);
      return first;
    }
    let more = 0;
    for await (const chunk of request) more += (chunk as Buffer).length;
    store.noteSent(uploadId, sentBytes + more);
    return received;
  });
  answer(exchange, 201, uploadHeaders(repository, uploadId, size));
}

/** Throws 416 for a part that isn't the next one, and for a `Content-Range` that isn't one. */
function requireNext({ repository, reference, request }: Exchange, received: number, next: number): void {
  const header = request.headers['content-range'];
  if (header === undefined) return;
  const [, first, last] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header) ?? [];
  const announced = request.headers['content-length'];
  const length = Number(last) - Number(first) + 1;
  if (Number(first) === next && (announced === undefined || Number(announced) === length)) return;
  throw new RegistryError(
    416,
    'BLOB_UPLOAD_INVALID',
    `Content-Range must continue at byte ${next}, not ${header}`,
    uploadHeaders(repository, reference, received),
  );
}

export async function uploadStatus(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference: uploadId } = exchange;
  const { received } = await requireUpload(parts, exchange);
  answer(exchange, 204, uploadHeaders(repository, uploadId, received));
}

export async function completeUpload(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { query, reference: uploadId } = exchange;
  const { received, sentBytes } = await requireUpload(parts, exchange);
  const digest = query.get('digest');
  if (digest === null)
    throw new RegistryError(400, 'DIGEST_INVALID', 'The query parameter digest is missing');
  requireNext(exchange, received, sentBytes ?? received);
  await finish(parts, exchange, uploadId, digest);
}

export async function cancelUpload(parts: RegistryParts, exchange: Exchange): Promise<void> {
  const { reference: uploadId } = exchange;
  await requireUpload(parts, exchange);
  await exclusively(uploadId, () => parts.files.abandon(uploadId));
  parts.store.endUpload(uploadId);
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
    throw new RegistryError(400, 'DIGEST_INVALID', `'${digest}' is not a SHA-256 digest`);
  await exclusively(uploadId, async () => {
    try {
      await files.append(uploadId, request);
      store.linkBlob(repository, digest, await files.commit(uploadId, digest), cloud.now().getTime());
      store.endUpload(uploadId);
    } catch (error) {
      if (!(error instanceof DigestMismatchError)) throw error;
      await files.abandon(uploadId);
      store.endUpload(uploadId);
      throw new RegistryError(400, 'DIGEST_INVALID', `The uploaded bytes don't have the digest ${digest}`);
    }
  });
  answer(exchange, 201, blobHeaders(repository, digest));
}

/**
 * Links a blob of another repository, on the conditions that ECR has for it: the account's setting, the same encryption, no
 * pull-through cache on either side, and a caller who may read it there. False means that it must be uploaded.
 */
function mount(
  { cloud, store, cache, settings }: RegistryParts,
  { principal, query, repository }: Exchange,
  digest: string,
): boolean {
  const from = query.get('from');
  const size = from === null ? undefined : store.blobSize(from, digest);
  if (from === null || size === undefined || !settings.mountsBlobs()) return false;
  if (cache.has(from) || cache.has(repository)) return false;
  const [source, target] = [store.repository(from), store.repository(repository)];
  if (!source || !target || !isSameEncryption(source.encryption, target.encryption)) return false;
  try {
    cloud.authorize(principal, 'ecr:GetDownloadUrlForLayer', repositoryArn(cloud, from));
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
  store.linkBlob(repository, digest, size, cloud.now().getTime());
  return true;
}

/** An upload to the repository of the path: another one's isn't there. */
async function requireUpload(
  { files, store }: RegistryParts,
  { repository, reference: uploadId }: Exchange,
): Promise<{ received: number; sentBytes: number | undefined }> {
  const upload = store.upload(uploadId, repository);
  const received = upload && (await files.received(uploadId));
  if (!upload || received === undefined)
    throw new RegistryError(
      404,
      'BLOB_UPLOAD_UNKNOWN',
      `The repository ${repository} has no upload ${uploadId}`,
    );
  return { received, sentBytes: upload.sentBytes };
}

async function exclusively<T>(uploadId: string, work: () => Promise<T>): Promise<T> {
  if (busy.has(uploadId))
    throw new RegistryError(409, 'BLOB_UPLOAD_INVALID', 'Another request is still writing to this upload');
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

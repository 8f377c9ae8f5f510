/** Lists of multipart uploads and of their parts. */
import type { RestAnswer, RestCall } from '../platform.ts';
import { authorize } from './access.ts';
import { type MultipartAccess, shownChecksums } from './multipart.ts';
import { xmlAnswer } from './xml.ts';

/** A page of parts. Uploads under way on one machine are fewer than a page has. */
const maxListed = 1000;

export function listParts(access: MultipartAccess, call: RestCall, bucket: string, key: string): RestAnswer {
  authorize(access, call, 's3:ListMultipartUploadParts', bucket, key);
  const upload = access.uploads.find(call.query.get('uploadId') ?? '', bucket, key);
  const marker = Number(call.query.get('part-number-marker') ?? 0);
  const limit = Math.min(Number(call.query.get('max-parts') ?? maxListed), maxListed);
  const behind = access.uploads.parts(upload.id).filter(({ number }) => number > marker);
  const page = behind.slice(0, limit);
  return xmlAnswer('ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: page.length < behind.length,
    StorageClass: 'STANDARD',
    Part: page.map(({ number, modifiedAt, etag, sizeBytes, checksums }) => ({
      PartNumber: number,
      LastModified: new Date(modifiedAt).toISOString(),
      ETag: `"${etag}"`,
      Size: sizeBytes,
      ...shownChecksums(checksums),
    })),
  });
}

export function listUploads(access: MultipartAccess, call: RestCall, bucket: string): RestAnswer {
  authorize(access, call, 's3:ListBucketMultipartUploads', bucket);
  const prefix = call.query.get('prefix') ?? '';
  const found = access.uploads.list(bucket).filter(({ key }) => key.startsWith(prefix));
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: '',
    UploadIdMarker: '',
    Prefix: prefix,
    MaxUploads: maxListed,
    IsTruncated: false,
    Upload: found.map(({ id, key, startedAt }) => ({
      Key: key,
      UploadId: id,
      StorageClass: 'STANDARD',
      Initiated: new Date(startedAt).toISOString(),
    })),
  });
}

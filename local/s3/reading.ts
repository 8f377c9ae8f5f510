/** GetObject and HeadObject. */
import { createReadStream, openSync, readFileSync } from 'node:fs';
import { AwsError, type RestAnswer, type RestCall } from '../platform.ts';
import { authorize, authorizeMissing, type BucketAccess } from './access.ts';
import { isUnmodified } from './conditions.ts';
import { noSuchKey, type StoredObject } from './store.ts';

const readWholeBelowBytes = 256 * 1024;

interface Range {
  first: number;
  last: number;
}

/** One byte range; several, or none that parses, mean the whole object, as with S3. */
function readRange(header: string | undefined, sizeBytes: number): Range | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const suffix = parts[1] === '';
  const first = suffix ? Math.max(sizeBytes - Number(parts[2]), 0) : Number(parts[1]);
  const last = suffix || parts[2] === '' ? sizeBytes - 1 : Math.min(Number(parts[2]), sizeBytes - 1);
  if (!suffix && parts[2] !== '' && Number(parts[2]) < first) return undefined;
  if (first >= sizeBytes || (suffix && Number(parts[2]) === 0))
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, {
      RangeRequested: header,
      ActualObjectSize: sizeBytes,
    });
  return { first, last };
}

export function checksumHeaders({ checksums }: Pick<StoredObject, 'checksums'>): Record<string, string> {
  const entries = Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]);
  const type = Object.values(checksums).some((value) => /-\d+$/.test(value)) ? 'COMPOSITE' : 'FULL_OBJECT';
  return { ...Object.fromEntries(entries), 'x-amz-checksum-type': type };
}

function objectHeaders(call: RestCall, object: StoredObject, partial: boolean): Record<string, string> {
  const overrides = [...call.query]
    .filter(([name]) => name.startsWith('response-'))
    .map(([name, value]) => [name.slice('response-'.length), value]);
  const verified = call.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && !partial;
  return {
    ...object.headers,
    ...Object.fromEntries(overrides),
    ...(verified && checksumHeaders(object)),
    'accept-ranges': 'bytes',
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
    'x-amz-server-side-encryption': 'AES256',
  };
}

/** The object, or its headers alone. Missing keys are `AccessDenied` for callers who may not list. */
export function readObject(access: BucketAccess, call: RestCall, bucket: string, key: string): RestAnswer {
  authorize(access, call, 's3:GetObject', bucket, key);
  const object = access.store.object(bucket, key);
  if (!object) {
    authorizeMissing(access, call, bucket);
    throw noSuchKey(key);
  }
  if (isUnmodified(call.headers, object))
    return {
      status: 304,
      headers: { etag: `"${object.etag}"`, 'last-modified': new Date(object.modifiedAt).toUTCString() },
    };
  const range = readRange(call.headers.range, object.sizeBytes);
  const length = range ? range.last - range.first + 1 : object.sizeBytes;
  const headers = {
    ...objectHeaders(call, object, range !== undefined),
    'content-length': String(length),
    ...(range && { 'content-range': `bytes ${range.first}-${range.last}/${object.sizeBytes}` }),
  };
  const status = range ? 206 : 200;
  if (call.method === 'HEAD') return { status, headers };
  return { status, headers, body: content(access, object, range) };
}

function content(access: BucketAccess, object: StoredObject, range: Range | undefined): RestAnswer['body'] {
  const path = access.store.pathOf(object.file);
  if (!range && object.sizeBytes <= readWholeBelowBytes) return readFileSync(path);
  // Opened at once: the file stays readable although the object may be replaced meanwhile.
  return createReadStream(path, {
    fd: openSync(path, 'r'),
    ...(range && { start: range.first, end: range.last }),
  });
}

/** PutObject, CopyObject, DeleteObject. */
import { rmSync } from 'node:fs';
import { AwsError, type RestAnswer, type RestCall } from '../platform.ts';
import { authorize, authorizeMissing, type BucketAccess } from './access.ts';
import { isUnmodified, writeCondition } from './conditions.ts';
import { checksumHeaders } from './reading.ts';
import { maxObjectBytes, receiveBody } from './receiving.ts';
import { noSuchKey, type StoredObject } from './store.ts';
import { xmlAnswer } from './xml.ts';

const contentHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
/** What a write may carry beside metadata and checksums. Anything else would be ignored silently. */
const knownHeaders =
  /^x-amz-(meta-.*|checksum-.*|content-sha256|date|decoded-content-length|trailer|sdk-checksum-algorithm|security-token|user-agent|copy-source(-if-.*)?|metadata-directive|server-side-encryption|storage-class|acl|expected-bucket-owner)$/;
const maxMetadataBytes = 2048;
const maxKeyBytes = 1024;

/** Throws for keys and headers that S3 refuses, or that would have no effect here. */
export function checkRequest(headers: Record<string, string>, key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes)
    throw new AwsError('KeyTooLongError', 'Your key is too long', 400, {
      Size: Buffer.byteLength(key),
      MaxSizeAllowed: maxKeyBytes,
    });
  const unknown = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !knownHeaders.test(name));
  const unsupported =
    unknown ??
    ((headers['x-amz-server-side-encryption'] ?? 'AES256') !== 'AES256'
      ? 'x-amz-server-side-encryption'
      : undefined) ??
    ((headers['x-amz-storage-class'] ?? 'STANDARD') !== 'STANDARD' ? 'x-amz-storage-class' : undefined);
  if (unsupported)
    throw new AwsError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
      501,
      {
        Header: unsupported,
      },
    );
  if ((headers['x-amz-acl'] ?? 'bucket-owner-full-control') !== 'bucket-owner-full-control')
    throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400);
}

/** Content headers and metadata, as they will be answered. */
export function storedHeaders(headers: Record<string, string>): Record<string, string> {
  const stored: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of contentHeaders) {
    const value = headers[name];
    if (value !== undefined && value !== '') stored[name] = value;
  }
  const encodings = (stored['content-encoding'] ?? '').split(',').map((one) => one.trim());
  const kept = encodings.filter((one) => one !== '' && one !== 'aws-chunked').join(',');
  if (kept === '') delete stored['content-encoding'];
  else stored['content-encoding'] = kept;
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-meta-')) continue;
    metadataBytes += Buffer.byteLength(name.slice('x-amz-meta-'.length)) + Buffer.byteLength(value);
    stored[name] = value;
  }
  if (metadataBytes > maxMetadataBytes)
    throw new AwsError(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      400,
      {
        Size: metadataBytes,
        MaxSizeAllowed: maxMetadataBytes,
      },
    );
  return stored;
}

/** Conditions in policies can ask for the headers of a write by `s3:x-amz-…`. */
export const policyContext = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('x-amz-') && name !== 'x-amz-security-token')
      .map(([name, value]) => [`s3:${name}`, value]),
  );

export async function putObject(
  access: BucketAccess,
  call: RestCall,
  bucket: string,
  key: string,
): Promise<RestAnswer> {
  authorize(access, call, 's3:PutObject', bucket, key, policyContext(call.headers));
  checkRequest(call.headers, key);
  const headers = storedHeaders(call.headers);
  const condition = writeCondition(call.headers, key);
  condition(access.store.object(bucket, key));
  const path = access.store.newIncomingPath();
  try {
    const received = await receiveBody(call, path);
    const stored = access.store.commit({ bucket, key, headers, ...received }, path, condition);
    return {
      status: 200,
      headers: {
        etag: `"${stored.etag}"`,
        ...checksumHeaders(stored),
        'x-amz-server-side-encryption': 'AES256',
      },
    };
  } finally {
    rmSync(path, { force: true });
  }
}

export function copySource(call: RestCall): { bucket: string; key: string } {
  const [source = '', version] = (call.headers['x-amz-copy-source'] ?? '').split('?');
  const parts = /^\/?([^/]+)\/(.+)$/s.exec(source);
  if (!parts || version !== undefined)
    throw new AwsError(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      400,
      {
        ArgumentName: 'x-amz-copy-source',
        ArgumentValue: call.headers['x-amz-copy-source'],
      },
    );
  return { bucket: decodeURIComponent(parts[1] ?? ''), key: decodeURIComponent(parts[2] ?? '') };
}

export function copyObject(access: BucketAccess, call: RestCall, bucket: string, key: string): RestAnswer {
  const from = copySource(call);
  authorize(access, call, 's3:GetObject', from.bucket, from.key);
  authorize(access, call, 's3:PutObject', bucket, key, policyContext(call.headers));
  checkRequest(call.headers, key);
  const source = access.store.object(from.bucket, from.key);
  if (!source) {
    authorizeMissing(access, call, from.bucket);
    throw noSuchKey(from.key);
  }
  if (isUnmodified(call.headers, source, 'x-amz-copy-source-'))
    throw new AwsError(
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
      412,
    );
  const replace = call.headers['x-amz-metadata-directive']?.toUpperCase() === 'REPLACE';
  if (!replace && from.bucket === bucket && from.key === key)
    throw new AwsError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      400,
    );
  if (source.sizeBytes > maxObjectBytes)
    throw new AwsError(
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
      400,
    );
  const path = access.store.copyToIncoming(source.file);
  try {
    const { sizeBytes, etag, checksums } = source;
    const headers = replace ? storedHeaders(call.headers) : source.headers;
    const condition = writeCondition(call.headers, key);
    const stored: StoredObject = access.store.commit(
      { bucket, key, sizeBytes, etag, checksums, headers },
      path,
      condition,
    );
    return xmlAnswer('CopyObjectResult', {
      LastModified: new Date(stored.modifiedAt).toISOString(),
      ETag: `"${stored.etag}"`,
    });
  } finally {
    rmSync(path, { force: true });
  }
}

/** Deleting what isn't there is a success. */
export function deleteObject(access: BucketAccess, call: RestCall, bucket: string, key: string): RestAnswer {
  authorize(access, call, 's3:DeleteObject', bucket, key);
  access.store.remove(bucket, key, writeCondition(call.headers, key));
  return { status: 204 };
}

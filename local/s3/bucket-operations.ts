/** What is asked of a whole bucket: ListObjectsV2, DeleteObjects, and who and where it is. */
import { createHash } from 'node:crypto';
import { AwsError, type RestAnswer, type RestCall } from '../platform.ts';
import { authorize, type BucketAccess, bucketArn } from './access.ts';
import { checksumDigests } from './checksums.ts';
import type { StoredObject } from './store.ts';
import { parseXml, type XmlFields, xmlAnswer } from './xml.ts';

const maxKeysPerPage = 1000;
const maxDeletes = 1000;
const highest = '\u{10FFFF}';

interface Listing {
  objects: StoredObject[];
  prefixes: string[];
  /** Behind which place the next page begins; absent on the last. */
  next?: string;
}

const isBehind = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;

/** A page of what lies behind `after`. A common prefix counts as one entry, and the next page begins behind it all. */
function list(
  access: BucketAccess,
  bucket: string,
  prefix: string,
  delimiter: string,
  after: string,
  limit: number,
): Listing {
  const listing: Listing = { objects: [], prefixes: [] };
  let inclusive = !isBehind(after, prefix) && after !== prefix;
  let at = inclusive ? prefix : after;
  for (;;) {
    const batch = access.store.scan(bucket, at, inclusive, delimiter ? 100 : limit + 1);
    if (batch.length === 0) return listing;
    inclusive = false;
    for (const object of batch) {
      if (!object.key.startsWith(prefix)) return listing;
      if (listing.objects.length + listing.prefixes.length >= limit) return { ...listing, next: at };
      const cut = delimiter ? object.key.indexOf(delimiter, prefix.length) : -1;
      if (cut < 0) {
        listing.objects.push(object);
        at = object.key;
        continue;
      }
      const common = object.key.slice(0, cut + delimiter.length);
      listing.prefixes.push(common);
      at = common + highest;
      break;
    }
  }
}

function readLimit(text: string | null): number {
  if (text === null) return maxKeysPerPage;
  if (!/^\d+$/.test(text))
    throw new AwsError('InvalidArgument', 'Provided max-keys not an integer or within integer range', 400, {
      ArgumentName: 'max-keys',
      ArgumentValue: text,
    });
  return Math.min(Number(text), maxKeysPerPage);
}

const tokenFor = (list: string, place: string): string =>
  Buffer.from(`${list}\n${place}`).toString('base64url');

/** The place that a token of this list names. Throws AwsError `InvalidArgument` for what is none of its tokens. */
function placeOf(list: string, token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (text.startsWith(`${list}\n`)) return text.slice(list.length + 1);
  throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect', 400, {
    ArgumentName: 'continuation-token',
  });
}

export function listObjects(access: BucketAccess, call: RestCall, bucket: string): RestAnswer {
  const { query } = call;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  authorize(access, call, 's3:ListBucket', bucket, undefined, {
    's3:prefix': prefix,
    ...(delimiter && { 's3:delimiter': delimiter }),
    ...(query.has('max-keys') && { 's3:max-keys': query.get('max-keys') ?? '' }),
  });
  if (query.get('list-type') !== '2')
    throw new AwsError(
      'UnsupportedOperation',
      'The embedded cloud does not implement s3:ListObjects, only ListObjectsV2.',
      400,
    );
  const limit = readLimit(query.get('max-keys'));
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : placeOf(bucket, token);
  const found: Listing =
    limit === 0 ? { objects: [], prefixes: [] } : list(access, bucket, prefix, delimiter, after, limit);
  const encoding = query.get('encoding-type');
  const shown = (text: string): string =>
    encoding === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+') : text;
  const { next } = found;
  return xmlAnswer('ListBucketResult', {
    Name: bucket,
    Prefix: shown(prefix),
    ...(delimiter && { Delimiter: shown(delimiter) }),
    ...(query.has('start-after') && { StartAfter: shown(query.get('start-after') ?? '') }),
    ...(token !== null && { ContinuationToken: token }),
    ...(next !== undefined && { NextContinuationToken: tokenFor(bucket, next) }),
    ...(encoding !== null && { EncodingType: encoding }),
    KeyCount: found.objects.length + found.prefixes.length,
    MaxKeys: limit,
    IsTruncated: next !== undefined,
    Contents: found.objects.map(
      (object): XmlFields => ({
        Key: shown(object.key),
        LastModified: new Date(object.modifiedAt).toISOString(),
        ETag: `"${object.etag}"`,
        ChecksumAlgorithm: Object.keys(object.checksums).map((name) => name.toUpperCase()),
        ChecksumType: 'FULL_OBJECT',
        Size: object.sizeBytes,
        StorageClass: 'STANDARD',
      }),
    ),
    CommonPrefixes: found.prefixes.map((one) => ({ Prefix: shown(one) })),
  });
}

function checkIntegrity(headers: Record<string, string>, body: Buffer): void {
  const md5 = headers['content-md5'];
  const stated = Object.keys(checksumDigests).find((name) => headers[`x-amz-checksum-${name}`] !== undefined);
  if (md5 === undefined && stated === undefined)
    throw new AwsError(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
      400,
    );
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5)
    throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400);
  const digest = stated && checksumDigests[stated]?.();
  if (!digest) return;
  digest.update(body);
  if (digest.value() !== headers[`x-amz-checksum-${stated}`])
    throw new AwsError(
      'BadDigest',
      `The ${stated.toUpperCase()} you specified did not match the calculated checksum.`,
      400,
    );
}

/** Up to 1000 keys; each is authorized by itself, and the answer names those that were refused. */
export async function deleteObjects(
  access: BucketAccess,
  call: RestCall,
  bucket: string,
): Promise<RestAnswer> {
  const body = await call.readBody(2 * 1024 * 1024);
  checkIntegrity(call.headers, body);
  const request = parseXml(body.toString());
  const keys = request.children
    .filter((one) => one.name === 'Object')
    .map((one) => one.children.find((child) => child.name === 'Key')?.text ?? '');
  if (request.name !== 'Delete' || keys.length === 0 || keys.length > maxDeletes || keys.includes(''))
    throw new AwsError(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
      400,
    );
  const quiet = request.children.some((one) => one.name === 'Quiet' && one.text === 'true');
  const deleted: XmlFields[] = [];
  const errors: XmlFields[] = [];
  for (const key of keys)
    try {
      authorize(access, call, 's3:DeleteObject', bucket, key);
      access.store.remove(bucket, key);
      if (!quiet) deleted.push({ Key: key });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code === 'NoSuchBucket') throw error;
      errors.push({ Key: key, Code: 'AccessDenied', Message: error.message });
    }
  return xmlAnswer('DeleteResult', { Deleted: deleted, Error: errors });
}

export function headBucket(access: BucketAccess, call: RestCall, bucket: string): RestAnswer {
  authorize(access, call, 's3:ListBucket', bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': access.cloud.region } };
}

export function getBucketLocation(access: BucketAccess, call: RestCall, bucket: string): RestAnswer {
  authorize(access, call, 's3:GetBucketLocation', bucket);
  // S3 calls its first region nothing.
  const { region } = access.cloud;
  const constraint = region === 'us-east-1' ? '' : region;
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${constraint}</LocationConstraint>`,
  };
}

const maxBuckets = 10_000;

/** Buckets are those that templates declare. One's own may be created again, as in S3's first region. */
export function createBucket(access: BucketAccess, call: RestCall, bucket: string): RestAnswer {
  call.authorize('s3:CreateBucket', bucketArn(bucket));
  if (access.store.bucket(bucket)) return { status: 200, headers: { location: `/${bucket}` } };
  throw new AwsError(
    'UnsupportedOperation',
    'The embedded cloud does not implement s3:CreateBucket: its buckets are those that templates declare.',
    400,
  );
}

export function listBuckets(access: BucketAccess, call: RestCall): RestAnswer {
  call.authorize('s3:ListAllMyBuckets', '*');
  const { query } = call;
  const limit = Number(query.get('max-buckets') ?? maxBuckets);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxBuckets)
    throw new AwsError('InvalidArgument', 'max-buckets must be between 1 and 10000', 400, {
      ArgumentName: 'max-buckets',
      ArgumentValue: query.get('max-buckets'),
    });
  const token = query.get('continuation-token');
  const after = token ? placeOf('', token) : '';
  const isHere = [null, access.cloud.region].includes(query.get('bucket-region'));
  const prefix = query.get('prefix') ?? '';
  const found = access.store
    .buckets()
    .filter(({ name }) => isHere && name > after && name.startsWith(prefix));
  const page = found.slice(0, limit);
  return xmlAnswer('ListAllMyBucketsResult', {
    Owner: { ID: access.cloud.accountId },
    Buckets: {
      Bucket: page.map((one) => ({
        Name: one.name,
        CreationDate: new Date(one.createdAt).toISOString(),
        BucketRegion: access.cloud.region,
      })),
    },
    ...(page.length < found.length && { ContinuationToken: tokenFor('', page.at(-1)?.name ?? '') }),
    ...(prefix && { Prefix: prefix }),
  });
}

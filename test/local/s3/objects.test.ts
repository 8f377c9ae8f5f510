import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createS3 } from '../../../local/s3.ts';
import { roleNamed } from '../test-cloud.ts';
import { Bucket, bucketForEach } from './bucket-for-each.ts';
import { bucketOf } from './declared-bucket.ts';

const { cloud, endpoint, s3 } = bucketForEach();
const put = (Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) =>
  s3().send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more: object = {}): Promise<string> =>
  (await s3().send(new GetObjectCommand({ Bucket, Key, ...more }))).Body?.transformToString() ?? '';
const files = (folder: string): string[] =>
  readdirSync(join(cloud().home, 's3', folder), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => one.name);

test('an object is put, read, described and deleted', async () => {
  const { ETag } = await put('acme/builds/1/spec.json', '{"a":1}', {
    ContentType: 'application/json',
    Metadata: { build: '1' },
  });
  expect(ETag).toBe(`"${createHash('md5').update('{"a":1}').digest('hex')}"`);
  expect(await get('acme/builds/1/spec.json')).toBe('{"a":1}');
  const head = await s3().send(new HeadObjectCommand({ Bucket, Key: 'acme/builds/1/spec.json' }));
  expect(head).toMatchObject({ ContentLength: 7, ContentType: 'application/json', Metadata: { build: '1' } });
  await s3().send(new DeleteObjectCommand({ Bucket, Key: 'acme/builds/1/spec.json' }));
  await s3().send(new DeleteObjectCommand({ Bucket, Key: 'acme/builds/1/spec.json' }));
  await expect(get('acme/builds/1/spec.json')).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(files('objects')).toEqual([]);
});

test('a stream travels in chunks with its checksum behind it', async () => {
  const content = randomBytes(3_000_000);
  const stream = Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]);
  await put('big', stream, { ContentLength: content.length });
  const answer = await s3().send(new GetObjectCommand({ Bucket, Key: 'big' }));
  expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
  expect(answer.ContentEncoding).toBeUndefined();
});

test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
  '%s is checked as the SDK counts it',
  async (ChecksumAlgorithm) => {
    // The SDK has CRC-64/NVME only with an extension; the value is the standard's check value.
    const given =
      ChecksumAlgorithm === 'CRC64NVME' ? { ChecksumCRC64NVME: 'rosUhgp5mIg=' } : { ChecksumAlgorithm };
    await put('a', '123456789', given);
    const read = await s3().send(new HeadObjectCommand({ Bucket, Key: 'a', ChecksumMode: 'ENABLED' }));
    expect(read[`Checksum${ChecksumAlgorithm}`]).toEqual(expect.any(String));
  },
);

test.each([
  [{ ChecksumSHA256: createHash('sha256').update('other').digest('base64') }, 'BadDigest'],
  [{ ChecksumSHA256: 'c2hvcnQ=' }, 'InvalidRequest'],
  [{ ContentMD5: createHash('md5').update('other').digest('base64') }, 'BadDigest'],
  [{ ContentMD5: 'c2hvcnQ=' }, 'InvalidDigest'],
])('a body that does not fit %j is refused as %s and nothing is kept', async (given, name) => {
  await put('a', 'before');
  await expect(put('a', 'body', given)).rejects.toMatchObject({ name });
  expect(await get('a')).toBe('before');
  expect(files('incoming')).toEqual([]);
  expect(files('objects')).toHaveLength(1);
});

test('one range is served, one outside is InvalidRange', async () => {
  await put('a', '0123456789');
  expect(await get('a', { Range: 'bytes=2-4' })).toBe('234');
  expect(await get('a', { Range: 'bytes=7-' })).toBe('789');
  expect(await get('a', { Range: 'bytes=-2' })).toBe('89');
  expect(await get('a', { Range: 'bytes=8-100' })).toBe('89');
  const answer = await s3().send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=0-0' }));
  expect(answer).toMatchObject({ ContentRange: 'bytes 0-0/10', ContentLength: 1 });
  await expect(get('a', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
});

test('If-None-Match: * writes once, If-Match replaces only what it names', async () => {
  const { ETag } = await put('a', 'one', { IfNoneMatch: '*' });
  await expect(put('a', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await put('a', 'three', { IfMatch: ETag });
  await expect(put('a', 'four', { IfMatch: ETag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await expect(put('b', 'four', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(await get('a')).toBe('three');
});

test('of two first writes at the same time one wins', async () => {
  const outcomes = await Promise.allSettled(
    ['one', 'two', 'three'].map((body) => put('a', body.repeat(10_000), { IfNoneMatch: '*' })),
  );
  expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  expect(files('objects')).toHaveLength(1);
});

test('conditional reads', async () => {
  const { ETag } = await put('a', 'one');
  await expect(get('a', { IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  await expect(get('a', { IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
});

test('a copy keeps or replaces the metadata, and needs a source', async () => {
  await put('a b/ü', 'one', { Metadata: { of: 'a' } });
  const CopySource = `${Bucket}/${encodeURIComponent('a b/ü')}`;
  await s3().send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource }));
  const head = await s3().send(new HeadObjectCommand({ Bucket, Key: 'b' }));
  expect(head.Metadata).toEqual({ of: 'a' });
  const replace = { MetadataDirective: 'REPLACE' as const, Metadata: { of: 'c' } };
  await s3().send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/b`, ...replace }));
  expect(await get('b')).toBe('one');
  await expect(
    s3().send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/b` })),
  ).rejects.toMatchObject({ name: 'InvalidRequest' });
  await expect(
    s3().send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/none` })),
  ).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('limits on keys and metadata', async () => {
  await put('k'.repeat(1024), 'fits');
  await expect(put('k'.repeat(1025), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  await expect(put('a', 'x', { Metadata: { m: 'x'.repeat(2048) } })).rejects.toMatchObject({
    name: 'MetadataTooLarge',
  });
  await expect(put('a', 'x', { Tagging: 'a=b' })).rejects.toMatchObject({ name: 'NotImplemented' });
  await expect(put('a', 'x', { ACL: 'public-read' })).rejects.toMatchObject({
    name: 'AccessControlListNotSupported',
  });
});

test('a missing key is AccessDenied for a role that may not list, NoSuchKey for one that may', async () => {
  const role = new S3Client(endpoint().clientOf(roleNamed('builder')));
  const read = (): Promise<unknown> => role.send(new GetObjectCommand({ Bucket, Key: 'none' }));
  await expect(read()).rejects.toMatchObject({ name: 'NoSuchKey' });
  cloud().deny = ({ action }) => action === 's3:ListBucket';
  await expect(read()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  expect(cloud().authorizations.at(-2)).toMatchObject({
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::artifacts/none',
  });
  await expect(
    role.send(new PutObjectCommand({ Bucket: 'none', Key: 'a', Body: 'x' })),
  ).rejects.toMatchObject({ name: 'NoSuchBucket' });
  role.destroy();
});

test('an upload cut off by a kill leaves the object before it, and its half is swept at the start', async () => {
  await put('a', 'before');
  const { hostname, port } = new URL(endpoint().url);
  expect(hostname && port).toBeTruthy();
  const never = new Readable({ read: () => undefined });
  never.push('half');
  const abort = new AbortController();
  const upload = s3().send(new PutObjectCommand({ Bucket, Key: 'a', Body: never, ContentLength: 100 }), {
    abortSignal: abort.signal,
  });
  await expect.poll(() => files('incoming')).toHaveLength(1);
  // A second start on the same files, as after kill -9: the upload is still open in the first.
  const restarted = createS3(cloud());
  await restarted.deploy?.([bucketOf(Bucket)]);
  expect(files('incoming')).toEqual([]);
  expect(await get('a')).toBe('before');
  abort.abort();
  await expect(upload).rejects.toThrow();
});

test('a client that goes away leaves nothing behind', async () => {
  const abort = new AbortController();
  const never = new Readable({ read: () => undefined });
  never.push('half');
  const upload = s3().send(new PutObjectCommand({ Bucket, Key: 'a', Body: never, ContentLength: 100 }), {
    abortSignal: abort.signal,
  });
  await expect.poll(() => files('incoming')).toHaveLength(1);
  abort.abort();
  await expect(upload).rejects.toThrow();
  await expect.poll(() => files('incoming')).toEqual([]);
});

test('an object being read stays whole while it is replaced', async () => {
  await put('a', 'x'.repeat(2_000_000));
  const answer = await s3().send(new GetObjectCommand({ Bucket, Key: 'a' }));
  await put('a', 'y');
  expect(await answer.Body?.transformToString()).toHaveLength(2_000_000);
});

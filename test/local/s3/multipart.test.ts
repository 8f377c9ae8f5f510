/** Multipart uploads as S3's own SDK makes them. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { Bucket, bucketForEach } from './bucket-for-each.ts';

const { cloud, s3 } = bucketForEach();
const mebibyte = 1024 ** 2;
const content = randomBytes(5 * mebibyte + 1000);
const [first, second] = [content.subarray(0, 5 * mebibyte), content.subarray(5 * mebibyte)];
const Key = 'models/weights.bin';

const begin = async (more: Partial<CreateMultipartUploadCommandInput> = {}) => {
  const { UploadId } = await s3().send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
};
type Upload = Awaited<ReturnType<typeof begin>>;
const send = async (upload: Upload, PartNumber: number, Body: Buffer, more = {}): Promise<CompletedPart> => {
  const { ETag, ChecksumSHA256, ChecksumCRC32 } = await s3().send(
    new UploadPartCommand({ ...upload, PartNumber, Body, ...more }),
  );
  return { PartNumber, ETag, ChecksumSHA256, ChecksumCRC32 };
};
const complete = (upload: Upload, Parts: CompletedPart[], more = {}) =>
  s3().send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
const parts = () => readdirSync(join(cloud().home, 's3/parts'));
const read = async () => {
  const { Body } = await s3().send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

test('parts become one object, with the headers of its beginning', async () => {
  const upload = await begin({ ContentType: 'application/x-tar', Metadata: { run: '7' } });
  // In any order, and one of them twice.
  const two = await send(upload, 2, second);
  await send(upload, 1, randomBytes(10));
  const one = await send(upload, 1, first);
  await expect(s3().send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' });
  const { ETag } = await complete(upload, [one, two]);
  const digests = [first, second].map((part) => createHash('md5').update(part).digest());
  expect(ETag).toBe(`"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-2"`);
  expect((await read()).equals(content)).toBe(true);
  expect(await s3().send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({
    ContentLength: content.length,
    ContentType: 'application/x-tar',
    Metadata: { run: '7' },
    ETag,
  });
  expect(parts()).toEqual([]);
  await expect(complete(upload, [one, two])).rejects.toMatchObject({ name: 'NoSuchUpload' });
});

test('a composite checksum is that of the checksums of the parts', async () => {
  const upload = await begin({ ChecksumAlgorithm: 'SHA256' });
  const more = { ChecksumAlgorithm: 'SHA256' };
  const sent = [await send(upload, 1, first, more), await send(upload, 2, second, more)];
  const { ChecksumSHA256, ChecksumType } = await complete(upload, sent);
  const digests = [first, second].map((part) => createHash('sha256').update(part).digest());
  const whole = createHash('sha256').update(Buffer.concat(digests)).digest('base64');
  expect([ChecksumSHA256, ChecksumType]).toEqual([`${whole}-2`, 'COMPOSITE']);
  const head = await s3().send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  expect([head.ChecksumSHA256, head.ChecksumType]).toEqual([`${whole}-2`, 'COMPOSITE']);
  const other = await begin({ ChecksumAlgorithm: 'SHA256' });
  await expect(send(other, 1, second, { ChecksumAlgorithm: 'CRC32' })).rejects.toMatchObject({
    name: 'InvalidRequest',
  });
});

test('a checksum of the whole is compared', async () => {
  const asked = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
  const upload = await begin(asked);
  const sent = [await send(upload, 1, second, { ChecksumAlgorithm: 'CRC32' })];
  await expect(complete(upload, sent, { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({
    name: 'BadDigest',
  });
  // Of one part, it is the part's.
  const { ChecksumCRC32 } = await complete(upload, sent, { ChecksumCRC32: sent[0]?.ChecksumCRC32 });
  expect(ChecksumCRC32).toBe(sent[0]?.ChecksumCRC32);
});

test('parts are copied from objects', async () => {
  await s3().send(new PutObjectCommand({ Bucket, Key: 'source/ü', Body: content }));
  const upload = await begin();
  const CopySource = `${Bucket}/${encodeURIComponent('source/ü')}`;
  const copy = async (PartNumber: number, range: string) => {
    const { CopyPartResult } = await s3().send(
      new UploadPartCopyCommand({ ...upload, PartNumber, CopySource, CopySourceRange: range }),
    );
    return { PartNumber, ETag: CopyPartResult?.ETag };
  };
  const half = 5 * mebibyte;
  await complete(upload, [
    await copy(1, `bytes=0-${half - 1}`),
    await copy(2, `bytes=${half}-${content.length - 1}`),
  ]);
  expect((await read()).equals(content)).toBe(true);
  for (const range of ['bytes=5-1', `bytes=0-${content.length}`, '0-1'])
    await expect(copy(1, range)).rejects.toThrow();
});

test('an upload under way is listed, and gone once it is aborted', async () => {
  const upload = await begin();
  await send(upload, 3, second);
  await send(upload, 1, second);
  const listed = await s3().send(new ListMultipartUploadsCommand({ Bucket }));
  expect(listed.Uploads).toMatchObject([{ Key, UploadId: upload.UploadId }]);
  const page = await s3().send(new ListPartsCommand({ ...upload, MaxParts: 1 }));
  expect([page.Parts?.map((one) => one.PartNumber), page.IsTruncated]).toEqual([[1], true]);
  const next = await s3().send(new ListPartsCommand({ ...upload, PartNumberMarker: '1' }));
  expect(next.Parts).toMatchObject([{ PartNumber: 3, Size: second.length }]);
  await s3().send(new AbortMultipartUploadCommand(upload));
  expect(parts()).toEqual([]);
  expect((await s3().send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
  await expect(send(upload, 2, second)).rejects.toMatchObject({ name: 'NoSuchUpload' });
});

test.each<[string, (upload: Upload, part: CompletedPart) => Promise<unknown>, string]>([
  ['an ETag of another part', (upload, part) => complete(upload, [{ ...part, ETag: '"00"' }]), 'InvalidPart'],
  [
    'a part that was not sent',
    (upload, part) => complete(upload, [{ ...part, PartNumber: 9 }]),
    'InvalidPart',
  ],
  ['a part twice', (upload, part) => complete(upload, [part, part]), 'InvalidPartOrder'],
  ['no part', (upload) => complete(upload, []), 'MalformedXML'],
  [
    'a small part before the last',
    async (upload, part) => complete(upload, [part, await send(upload, 2, second)]),
    'EntityTooSmall',
  ],
  ['part 0', (upload) => send(upload, 0, second), 'InvalidArgument'],
  ['part 10001', (upload) => send(upload, 10_001, second), 'InvalidArgument'],
  ['an upload of another object', (upload) => send({ ...upload, Key: 'other' }, 1, second), 'NoSuchUpload'],
  [
    'an object that is there already, where none may be',
    async (upload, part) => {
      await s3().send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
      return complete(upload, [part], { IfNoneMatch: '*' });
    },
    'PreconditionFailed',
  ],
])('%s is refused', async (_, attempt, name) => {
  const upload = await begin();
  const part = await send(upload, 1, second);
  await expect(attempt(upload, part)).rejects.toMatchObject({ name });
});

test('buckets come in pages, and from templates only', async () => {
  const { Buckets, ContinuationToken } = await s3().send(new ListBucketsCommand({ MaxBuckets: 1 }));
  expect(Buckets).toHaveLength(1);
  const all = (await s3().send(new ListBucketsCommand({}))).Buckets ?? [];
  expect(ContinuationToken !== undefined).toBe(all.length > 1);
  expect((await s3().send(new ListBucketsCommand({ Prefix: 'no-such' }))).Buckets ?? []).toEqual([]);
  await expect(s3().send(new ListBucketsCommand({ MaxBuckets: 0 }))).rejects.toMatchObject({
    name: 'InvalidArgument',
  });
  await s3().send(new CreateBucketCommand({ Bucket }));
  await expect(s3().send(new CreateBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject({
    name: 'UnsupportedOperation',
    message: expect.stringContaining('s3:CreateBucket'),
  });
});

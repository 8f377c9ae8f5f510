import {
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { roleNamed } from '../test-cloud.ts';
import { Bucket, bucketForEach } from './bucket-for-each.ts';
import { bucketOf, policyOf } from './declared-bucket.ts';

const { cloud, service, endpoint, s3 } = bucketForEach();
const put = (Key: string) => s3().send(new PutObjectCommand({ Bucket, Key, Body: Key }));
const list = (input: Partial<ListObjectsV2CommandInput>) =>
  s3().send(new ListObjectsV2Command({ Bucket, ...input }));
const keys = (page: { Contents?: { Key?: string }[] }) => (page.Contents ?? []).map((one) => one.Key);

test('E17 a prefix is listed in pages, in byte order', async () => {
  for (const key of ['a/2', 'a/10', 'a/ü & <x>', 'b/1']) await put(key);
  const first = await list({ Prefix: 'a/', MaxKeys: 2 });
  expect(keys(first)).toEqual(['a/10', 'a/2']);
  expect(first).toMatchObject({ IsTruncated: true, KeyCount: 2, MaxKeys: 2 });
  const rest = await list({ Prefix: 'a/', MaxKeys: 2, ContinuationToken: first.NextContinuationToken });
  expect(keys(rest)).toEqual(['a/ü & <x>']);
  expect(rest.IsTruncated).toBe(false);
  expect(keys(await list({ StartAfter: 'a/2', EncodingType: 'url' }))).toEqual([
    'a/%C3%BC+%26+%3Cx%3E',
    'b/1',
  ]);
  expect(keys(await list({ MaxKeys: 0 }))).toEqual([]);
});

test('a delimiter folds keys into common prefixes, over pages too', async () => {
  for (const key of ['a/', 'a/1', 'a/b/1', 'a/b/2', 'a/c/1', 'd']) await put(key);
  const seen: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await list({ Prefix: 'a/', Delimiter: '/', MaxKeys: 1, ContinuationToken });
    expect(page.KeyCount).toBe(1);
    seen.push(...keys(page), ...(page.CommonPrefixes ?? []).map((one) => one.Prefix));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  expect(seen).toEqual(['a/', 'a/1', 'a/b/', 'a/c/']);
});

test('no page has more than 1000 keys', async () => {
  const add = cloud().db.prepare("INSERT INTO s3_objects VALUES (?, ?, 0, '', 0, '{}', '{}', '')");
  for (let n = 0; n < 1001; n += 1) add.run(Bucket, String(n).padStart(5, '0'));
  const page = await list({ MaxKeys: 5000 });
  expect(page).toMatchObject({ KeyCount: 1000, MaxKeys: 1000, IsTruncated: true });
  expect((await list({ ContinuationToken: page.NextContinuationToken })).KeyCount).toBe(1);
});

test('many are deleted in one call, and refusals are named', async () => {
  for (const key of ['acme/1', 'acme/& <2>', 'globex/1']) await put(key);
  cloud().deny = ({ action, resource }) => action === 's3:DeleteObject' && resource.includes('globex');
  const answer = await s3().send(
    new DeleteObjectsCommand({
      Bucket,
      Delete: { Objects: ['acme/1', 'acme/& <2>', 'globex/1', 'never'].map((Key) => ({ Key })) },
    }),
  );
  expect(answer.Deleted).toHaveLength(3);
  expect(answer.Errors).toMatchObject([{ Key: 'globex/1', Code: 'AccessDenied' }]);
  expect(keys(await list({}))).toEqual(['globex/1']);
  const many = Array.from({ length: 1001 }, (_, n) => ({ Key: String(n) }));
  await expect(
    s3().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: many } })),
  ).rejects.toMatchObject({
    name: 'MalformedXML',
  });
});

test('listing is authorized on the bucket, with the prefix for conditions', async () => {
  const role = new S3Client(endpoint().clientOf(roleNamed('job')));
  await role.send(new ListObjectsV2Command({ Bucket, Prefix: 'acme/' }));
  expect(cloud().authorizations.at(-1)).toMatchObject({
    principal: 'arn:aws:iam::000000000000:role/job',
    action: 's3:ListBucket',
    resource: 'arn:aws:s3:::artifacts',
    context: { 's3:prefix': 'acme/' },
  });
  role.destroy();
});

test('a bucket policy refuses what it denies; loopback counts as secure transport', async () => {
  const denied = (Condition: object) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
    Condition,
  });
  await service().deploy?.([
    bucketOf(Bucket),
    policyOf(Bucket, [denied({ Bool: { 'aws:SecureTransport': 'false' } })]),
  ]);
  await put('a');
  const globex = { StringLike: { 'aws:PrincipalArn': '*role/globex*' } };
  await service().deploy?.([bucketOf(Bucket), policyOf(Bucket, [denied(globex)])]);
  const role = new S3Client(endpoint().clientOf(roleNamed('globex-job')));
  await expect(role.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject({
    name: 'AccessDenied',
  });
  await put('a');
  role.destroy();
});

test('a bucket policy may allow a role that has no policy of its own', async () => {
  cloud().deny = ({ principal }) => principal.endsWith('role/job');
  const allow = {
    Effect: 'Allow',
    Principal: { AWS: roleNamed('job').arn },
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${Bucket}/outputs/*`,
  };
  await service().deploy?.([bucketOf(Bucket), policyOf(Bucket, [allow])]);
  const role = new S3Client(endpoint().clientOf(roleNamed('job')));
  await role.send(new PutObjectCommand({ Bucket, Key: 'outputs/1', Body: 'x' }));
  await expect(role.send(new PutObjectCommand({ Bucket, Key: 'other/1', Body: 'x' }))).rejects.toMatchObject({
    name: 'AccessDenied',
  });
  role.destroy();
});

test('objects past their lifecycle go at the start', async () => {
  await put('acme/uploads/1');
  await put('acme/outputs/1');
  const Rules = [{ Status: 'Enabled', Prefix: 'acme/uploads/', ExpirationInDays: 1 }];
  await service().deploy?.([bucketOf(Bucket, { LifecycleConfiguration: { Rules } })]);
  cloud().time += 2 * 86_400_000;
  await service().start?.();
  await service().stop?.();
  expect(keys(await list({}))).toEqual(['acme/outputs/1']);
});

test('what has no effect here is said, and a rule with more than a prefix expires nothing', async () => {
  await put('acme/uploads/1');
  const Rules = [
    { Id: 'tagged', Status: 'Enabled', ExpirationInDays: 1, TagFilters: [{ Key: 'a', Value: 'b' }] },
    { Id: 'off', Status: 'Disabled', ExpirationInDays: 1 },
  ];
  const VersioningConfiguration = { Status: 'Enabled' };
  await service().deploy?.([
    bucketOf(Bucket, { LifecycleConfiguration: { Rules }, VersioningConfiguration }),
  ]);
  cloud().time += 2 * 86_400_000;
  await service().start?.();
  await service().stop?.();
  expect(keys(await list({}))).toEqual(['acme/uploads/1']);
  expect(cloud().logged).toEqual([
    expect.stringMatching(/ignores lifecycle rules with TagFilters/),
    expect.stringMatching(/ignores VersioningConfiguration/),
  ]);
});

test('what is not there is named', async () => {
  await expect(s3().send(new GetBucketAclCommand({ Bucket }))).rejects.toThrow(/\?acl/);
  await expect(s3().send(new ListObjectsCommand({ Bucket }))).rejects.toMatchObject({
    name: 'UnsupportedOperation',
  });
  expect((await s3().send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);
});

test('a continuation token of another list, or of none, is refused', async () => {
  for (const key of ['a', 'b']) await put(key);
  const page = await list({ MaxKeys: 1 });
  expect(keys(await list({ ContinuationToken: page.NextContinuationToken }))).toEqual(['b']);
  const invalid = { name: 'InvalidArgument', $metadata: { httpStatusCode: 400 } };
  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  for (const ContinuationToken of [
    '',
    'zz',
    '{}',
    encoded('a'),
    encoded('other\na'),
    encoded(`${Bucket}x\na`),
  ])
    await expect(list({ ContinuationToken })).rejects.toMatchObject(invalid);
  for (const ContinuationToken of ['zz', encoded('a'), page.NextContinuationToken])
    await expect(s3().send(new ListBucketsCommand({ ContinuationToken }))).rejects.toMatchObject(invalid);
});

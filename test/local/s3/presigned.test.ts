import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { expect, test } from 'vitest';
import { roleNamed } from '../test-cloud.ts';
import { bucketForEach } from './bucket-for-each.ts';

const { cloud, s3 } = bucketForEach(roleNamed('organisation-function'));
const target = { Bucket: 'artifacts', Key: 'acme/uploads/upl_1' };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

async function presign(content: string): Promise<{ url: string; headers: Record<string, string> }> {
  const checksum = sha256(content);
  const command = new PutObjectCommand({
    ...target,
    ChecksumSHA256: checksum,
    ContentLength: content.length,
  });
  const url = await getSignedUrl(s3(), command, {
    expiresIn: 300,
    unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
    signableHeaders: new Set(['host', 'content-length', 'x-amz-checksum-sha256']),
  });
  return { url, headers: { 'x-amz-checksum-sha256': checksum } };
}
const send = async (
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<[number, string]> => {
  const answer = await fetch(url, { method: 'PUT', body, headers });
  return [answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1] ?? ''];
};

test('B1 a presigned PUT takes exactly the body it was signed for', async () => {
  const { url, headers } = await presign('FROM scratch');
  expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toContain('x-amz-checksum-sha256');
  expect(await send(url, 'FROM scratch', headers)).toEqual([200, '']);
  const read = await s3().send(new GetObjectCommand(target));
  expect(await read.Body?.transformToString()).toBe('FROM scratch');
  expect(cloud().authorizations[0]).toMatchObject({
    principal: roleNamed('organisation-function').arn,
    action: 's3:PutObject',
    resource: 'arn:aws:s3:::artifacts/acme/uploads/upl_1',
  });
});

test('another body, another length, another or no checksum are refused', async () => {
  const { url, headers } = await presign('FROM scratch');
  expect(await send(url, 'FROM stretch', headers)).toEqual([400, 'BadDigest']);
  expect(await send(url, 'FROM scratch and more', headers)).toEqual([403, 'SignatureDoesNotMatch']);
  const other = { 'x-amz-checksum-sha256': sha256('FROM stretch') };
  expect(await send(url, 'FROM stretch', other)).toEqual([403, 'SignatureDoesNotMatch']);
  expect(await send(url, 'FROM scratch', {})).toEqual([403, 'SignatureDoesNotMatch']);
  await expect(s3().send(new GetObjectCommand(target))).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('a checksum that the SDK hoisted into the query enforces nothing, as with S3', async () => {
  const command = new PutObjectCommand({ ...target, ChecksumSHA256: sha256('FROM scratch') });
  const url = await getSignedUrl(s3(), command, { expiresIn: 300 });
  expect(await send(url, 'anything', {})).toEqual([200, '']);
});

test('a presigned URL is no longer good once its signer may no longer write', async () => {
  const { url, headers } = await presign('FROM scratch');
  cloud().deny = ({ action }) => action === 's3:PutObject';
  expect(await send(url, 'FROM scratch', headers)).toEqual([403, 'AccessDenied']);
});

test('a presigned GET may name the file and its type', async () => {
  await s3().send(new PutObjectCommand({ ...target, Body: 'x' }));
  const command = new GetObjectCommand({
    ...target,
    ResponseContentDisposition: 'attachment; filename="a.txt"',
  });
  const answer = await fetch(await getSignedUrl(s3(), command, { expiresIn: 60 }));
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a.txt"');
  expect(await answer.text()).toBe('x');
});

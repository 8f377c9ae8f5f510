import { BatchClient, DescribeJobsCommand } from '@aws-sdk/client-batch';
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  RestoreTableFromBackupCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionRole } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';

let cloud: EmbeddedCloud;

beforeAll(async () => {
  const reader = functionRole({
    Effect: 'Allow',
    Action: 'dynamodb:GetItem',
    Resource: { 'Fn::GetAtt': ['Items', 'Arn'] },
  });
  cloud = await startEmbeddedCloud({
    stacks: {
      main: {
        Resources: {
          Items: {
            Type: 'AWS::DynamoDB::Table',
            Properties: {
              TableName: 'items',
              KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
              AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            },
          },
          Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'bucket' } },
          Reader: { ...reader, Properties: { ...reader.Properties, RoleName: 'reader' } },
        },
      },
    },
  });
});

afterAll(() => cloud?.remove());

const key = { TableName: 'items', Key: { pk: { S: 'a' } } };

/** Runs one call with a client of its own and gives the name of the error that it ends with. */
async function nameOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'nothing';
  } catch (error) {
    return (error as Error).name;
  }
}

const dynamodb = (settings: object) => new DynamoDBClient({ ...cloud.client, maxAttempts: 1, ...settings });
const s3 = (settings: object) =>
  new S3Client({ ...cloud.client, maxAttempts: 1, forcePathStyle: true, ...settings });
const secrets = (settings: object) =>
  new SecretsManagerClient({ ...cloud.client, maxAttempts: 1, ...settings });
const batch = (settings: object) => new BatchClient({ ...cloud.client, maxAttempts: 1, ...settings });

const callers = {
  dynamodb: (settings: object) => dynamodb(settings).send(new GetItemCommand(key)),
  secretsmanager: (settings: object) => secrets(settings).send(new ListSecretsCommand({})),
  s3: (settings: object) => s3(settings).send(new ListObjectsV2Command({ Bucket: 'bucket' })),
  batch: (settings: object) => batch(settings).send(new DescribeJobsCommand({ jobs: ['x'] })),
};

const wrongSecret = () => ({ credentials: { ...cloud.client.credentials, secretAccessKey: 'wrong' } });
const wrongKey = () => ({ credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } });
const wrongToken = () => {
  const { credentials } = cloud.clientOf('reader');
  return { credentials: { ...credentials, sessionToken: 'forged' } };
};
const expired = () => cloud.clientOf('reader', -1);
const wrongRegion = () => ({ region: 'eu-west-1' });

describe("who signed: each service's own names", () => {
  test.each<[keyof typeof callers, string, () => object, string]>([
    ['dynamodb', 'a wrong secret', wrongSecret, 'InvalidSignatureException'],
    ['dynamodb', 'an unknown key', wrongKey, 'UnrecognizedClientException'],
    ['dynamodb', 'a forged token', wrongToken, 'UnrecognizedClientException'],
    ['dynamodb', 'an expired token', expired, 'ExpiredTokenException'],
    ['dynamodb', 'another region', wrongRegion, 'InvalidSignatureException'],
    ['secretsmanager', 'a wrong secret', wrongSecret, 'InvalidSignatureException'],
    ['secretsmanager', 'an expired token', expired, 'ExpiredTokenException'],
    ['batch', 'a wrong secret', wrongSecret, 'InvalidSignatureException'],
    ['batch', 'an unknown key', wrongKey, 'UnrecognizedClientException'],
    ['s3', 'a wrong secret', wrongSecret, 'SignatureDoesNotMatch'],
    ['s3', 'an unknown key', wrongKey, 'InvalidAccessKeyId'],
    ['s3', 'a forged token', wrongToken, 'InvalidToken'],
    ['s3', 'an expired token', expired, 'ExpiredToken'],
  ])('%s, %s', async (service, _, settings, expected) => {
    expect(await nameOf(() => callers[service](settings()))).toBe(expected);
  });

  test('a signature without Authorization header is refused', async () => {
    const answer = await fetch(cloud.endpointUrl, {
      method: 'POST',
      body: '{}',
      headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  test('a clock more than 15 minutes off is refused, and the SDK can correct itself', async () => {
    const late = { systemClockOffset: -20 * 60_000 };
    expect(await nameOf(() => callers.dynamodb(late))).toBe('InvalidSignatureException');
    expect(await nameOf(() => callers.s3(late))).toBe('RequestTimeTooSkewed');
    const corrected = dynamodb({ ...late, maxAttempts: 2 });
    await expect(corrected.send(new GetItemCommand(key))).resolves.toBeDefined();
  });
});

describe('what the role may do', () => {
  test('what its policy allows works', async () => {
    expect(await nameOf(() => callers.dynamodb(cloud.clientOf('reader')))).toBe('nothing');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'dynamodb',
      () => dynamodb(cloud.clientOf('reader')).send(new ScanCommand({ TableName: 'items' })),
      'AccessDeniedException',
    ],
    ['secretsmanager', () => callers.secretsmanager(cloud.clientOf('reader')), 'AccessDeniedException'],
    ['s3', () => callers.s3(cloud.clientOf('reader')), 'AccessDenied'],
  ])('%s refuses what it does not', async (_, call, expected) => {
    expect(await nameOf(call)).toBe(expected);
  });

  test('the refusal names role, action and resource', async () => {
    const call = dynamodb(cloud.clientOf('reader')).send(new ScanCommand({ TableName: 'items' }));
    await expect(call).rejects.toThrow(
      /role\/reader .*dynamodb:Scan on resource: arn:aws:dynamodb:us-east-1:000000000000:table\/items/,
    );
  });
});

test('an operation that is not there is UnsupportedOperation and named', async () => {
  const restore = new RestoreTableFromBackupCommand({ TargetTableName: 'abc', BackupArn: 'x'.repeat(40) });
  await expect(dynamodb({}).send(restore)).rejects.toMatchObject({
    name: 'UnsupportedOperation',
    message: expect.stringContaining('RestoreTableFromBackup'),
  });
  expect(
    await nameOf(() =>
      dynamodb({}).send(
        new CreateTableCommand({ TableName: 'abc', KeySchema: [], AttributeDefinitions: [] }),
      ),
    ),
  ).toBe('UnsupportedOperation');
});

describe('presigned URLs', () => {
  const presign = (expiresIn: number, settings: object = {}) =>
    getSignedUrl(s3(settings), new GetObjectCommand({ Bucket: 'bucket', Key: 'a b/ü.txt' }), { expiresIn });

  test('serve as long as they said', async () => {
    await s3({}).send(new PutObjectCommand({ Bucket: 'bucket', Key: 'a b/ü.txt', Body: 'hello' }));
    const answer = await fetch(await presign(60));
    expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
    const old = await getSignedUrl(s3({}), new GetObjectCommand({ Bucket: 'bucket', Key: 'x' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    });
    const refused = await fetch(old);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('<Code>AccessDenied</Code><Message>Request has expired</Message>');
  });

  test('fit no other object', async () => {
    const url = new URL(await presign(60));
    url.pathname = '/bucket/other';
    const answer = await fetch(url);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('SignatureDoesNotMatch');
  });

  test('refuse headers that were not signed', async () => {
    const answer = await fetch(await presign(60), { headers: { 'x-amz-meta-colour': 'red' } });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('not signed');
  });

  test('carry the rights of whoever signed', async () => {
    const answer = await fetch(await presign(60, cloud.clientOf('reader')));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>AccessDenied</Code>');
  });
});

test('a body that is not the signed one is XAmzContentSHA256Mismatch', async () => {
  const client = s3({});
  client.middlewareStack.add(
    (next) => async (args) => {
      (args.request as { body: string }).body = 'evil!';
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'x', Body: 'hello' });
  expect(await nameOf(() => client.send(put))).toBe('XAmzContentSHA256Mismatch');
});

test('a refused upload gets its answer however large it is, and the next one works', async () => {
  const Body = Buffer.alloc(5 * 1024 * 1024);
  const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'large', Body });
  const client = s3(cloud.clientOf('reader'));
  expect(await nameOf(() => client.send(put))).toBe('AccessDenied');
  expect(await nameOf(() => client.send(put))).toBe('AccessDenied');
  expect(await nameOf(() => s3({}).send(put))).toBe('nothing');
});

test('credentials behind an unknown id are 404', async () => {
  const answer = await fetch(`${cloud.endpointUrl}/_credentials/guess`);
  expect(answer.status).toBe(404);
});

test('every call is counted by service and operation, refused ones too', async () => {
  const count = async () => {
    const answer = await fetch(`${cloud.endpointUrl}/_calls`);
    return (await answer.json()) as Record<string, number>;
  };
  const before = await count();
  await callers.dynamodb({});
  await nameOf(() => callers.dynamodb(wrongSecret()));
  await callers.s3({});
  await nameOf(() => callers.batch({}));
  const after = await count();
  const more = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
  expect(more('dynamodb:GetItem')).toBe(2);
  expect(more('s3:GET')).toBe(1);
  expect(more('batch:POST /v1/describejobs')).toBe(1);
});

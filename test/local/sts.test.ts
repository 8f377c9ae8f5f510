import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Credentials } from '../../local/iam/credentials.ts';
import { Roles } from '../../local/iam/roles.ts';
import type { DeclaredResource, Principal } from '../../local/platform.ts';
import { createSts } from '../../local/sts.ts';
import { roleNamed, type TestCloud, testCloud } from './test-cloud.ts';
import { type TestEndpoint, testEndpoint } from './test-endpoint.ts';

let cloud: TestCloud;
let endpoint: TestEndpoint;
let credentials: Credentials;
const job = roleNamed('job');
const role = (name: string, principal: object): DeclaredResource => ({
  stack: 'compute',
  logicalId: name,
  type: 'AWS::IAM::Role',
  physicalId: name,
  attributes: { Arn: roleNamed(name).arn },
  properties: {
    RoleName: name,
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
    },
  },
});

beforeEach(async () => {
  cloud = testCloud();
  const roles = new Roles(cloud);
  roles.load([
    role('for-job', { AWS: job.arn }),
    role('for-account', { AWS: 'arn:aws:iam::000000000000:root' }),
    role('for-service', { Service: 'lambda.amazonaws.com' }),
  ]);
  credentials = new Credentials(cloud, roles);
  endpoint = await testEndpoint(cloud, [createSts(cloud, { roles, credentials })]);
});
afterEach(async () => {
  await endpoint.close();
  cloud.remove();
});

async function as<T>(principal: Principal, work: (sts: STSClient) => Promise<T>): Promise<T> {
  const client = new STSClient(endpoint.clientOf(principal));
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
const assume = (name: string, principal = job, more: Partial<AssumeRoleCommandInput> = {}) =>
  as(principal, (sts) =>
    sts.send(new AssumeRoleCommand({ RoleArn: roleNamed(name).arn, RoleSessionName: 'tests', ...more })),
  );

test('a caller learns who they are', async () => {
  const identity = await as(job, (sts) => sts.send(new GetCallerIdentityCommand({})));
  expect(identity).toMatchObject({
    Account: '000000000000',
    Arn: 'arn:aws:sts::000000000000:assumed-role/job/test',
  });
});

test('a role that the trust policy names is assumed without a permission of its own', async () => {
  cloud.deny = () => true;
  const answer = await assume('for-job');
  expect(answer.AssumedRoleUser?.Arn).toBe('arn:aws:sts::000000000000:assumed-role/for-job/tests');
  const key = credentials.find(answer.Credentials?.AccessKeyId ?? '');
  expect(key).toMatchObject({
    principal: { arn: roleNamed('for-job').arn, kind: 'role', sessionName: 'tests' },
    sessionToken: answer.Credentials?.SessionToken,
  });
});

test('a role that trusts the account needs the caller’s own permission', async () => {
  await assume('for-account');
  expect(cloud.authorizations.at(-1)).toMatchObject({
    action: 'sts:AssumeRole',
    resource: roleNamed('for-account').arn,
  });
  cloud.deny = () => true;
  await expect(assume('for-account')).rejects.toMatchObject({ name: 'AccessDenied' });
});

test.each(['for-service', 'missing'])('the role %s is not assumed', async (name) => {
  await expect(assume(name)).rejects.toMatchObject({ name: 'AccessDenied' });
  await expect(assume('for-job', roleNamed('other'))).rejects.toMatchObject({ name: 'AccessDenied' });
});

test.each([
  [{ DurationSeconds: 899 }, 'ValidationError'],
  [{ DurationSeconds: 7200 }, 'ValidationError'],
  [{ RoleSessionName: 'a b' }, 'ValidationError'],
  [{ RoleArn: 'job' }, 'ValidationError'],
  [{ Policy: '{}' }, 'UnsupportedOperation'],
])('%j is refused', async (more, name) => {
  await expect(assume('for-job', job, more)).rejects.toMatchObject({ name });
});

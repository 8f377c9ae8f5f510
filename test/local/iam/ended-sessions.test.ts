import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchGetBuildsCommand, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-sessions-'));
const keysFile = join(folder, 'keys.json');
const goFile = join(folder, 'go');
const role = (name: string, principal: object) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: name,
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      {
        PolicyName: 'all',
        PolicyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
      },
    ],
  },
});
const builderArn = 'arn:aws:iam::000000000000:role/builder';
const otherArn = 'arn:aws:iam::000000000000:role/other';
/** Writes down where its keys are, and the keys, and goes on once it may. */
const script = `const url = process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
const keys = await (await fetch(url)).json();
fs.writeFileSync('${keysFile}.new', JSON.stringify({ url, keys }));
fs.renameSync('${keysFile}.new', '${keysFile}');
while (!fs.existsSync('${goFile}')) await new Promise((wait) => setTimeout(wait, 50));`;

let cloud: EmbeddedCloud;
beforeAll(async () => {
  cloud = await startEmbeddedCloud({
    stacks: {
      main: {
        Resources: {
          Builder: role('builder', { Service: 'codebuild.amazonaws.com' }),
          Other: role('other', { AWS: builderArn }),
          Project: {
            Type: 'AWS::CodeBuild::Project',
            Properties: {
              Name: 'builds',
              ServiceRole: builderArn,
              Source: {
                Type: 'NO_SOURCE',
                BuildSpec: JSON.stringify({
                  version: '0.2',
                  phases: {
                    build: {
                      commands: [`node --input-type=module -e "import fs from 'node:fs'; ${script}"`],
                    },
                  },
                }),
              },
              Artifacts: { Type: 'NO_ARTIFACTS' },
              Environment: {
                Type: 'LINUX_CONTAINER',
                Image: 'aws/codebuild/standard:8.0',
                ComputeType: 'BUILD_GENERAL1_SMALL',
              },
              LogsConfig: { CloudWatchLogs: { Status: 'ENABLED', GroupName: '/builds' } },
            },
          },
        },
      },
    },
  });
});
afterAll(async () => {
  await cloud?.remove();
  rmSync(folder, { recursive: true });
});

test('keys, what was made with them, and their URL end with the build', async () => {
  const builds = new CodeBuildClient(cloud.client);
  const { build } = await builds.send(new StartBuildCommand({ projectName: 'builds' }));
  const status = async () => {
    const { builds: found } = await builds.send(new BatchGetBuildsCommand({ ids: [build?.id ?? ''] }));
    return found?.[0]?.buildStatus;
  };
  await expect.poll(() => readFileSync(keysFile, 'utf8').length).toBeGreaterThan(0);
  const { url, keys } = JSON.parse(readFileSync(keysFile, 'utf8'));
  const { endpoint, region } = cloud.client;
  const clientOf = (credentials: object | undefined) => ({
    endpoint,
    region,
    maxAttempts: 1,
    credentials: credentials as EmbeddedCloud['client']['credentials'],
  });
  const own = clientOf({
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.Token,
  });
  const sts = new STSClient(own);
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: otherArn, RoleSessionName: 'further' }),
  );
  const further = new STSClient(
    clientOf({
      accessKeyId: Credentials?.AccessKeyId,
      secretAccessKey: Credentials?.SecretAccessKey,
      sessionToken: Credentials?.SessionToken,
    }),
  );
  const ecr = new ECRClient(own);
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const atRegistry = async () => {
    const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`;
    return (await fetch(`http://${cloud.registryHost}/v2/`, { headers: { authorization } })).status;
  };
  const identity = (client: STSClient) => client.send(new GetCallerIdentityCommand({}));
  expect((await identity(further)).Arn).toContain('assumed-role/other/further');
  expect(await atRegistry()).toBe(200);
  expect((await fetch(url)).status).toBe(200);

  writeFileSync(goFile, '');
  await expect.poll(status).toBe('SUCCEEDED');

  expect((await fetch(url)).status).toBe(404);
  await expect(identity(sts)).rejects.toMatchObject({ name: 'ExpiredToken' });
  await expect(identity(further)).rejects.toMatchObject({ name: 'ExpiredToken' });
  expect(await atRegistry()).toBe(403);
  for (const client of [builds, sts, further, ecr]) client.destroy();
});

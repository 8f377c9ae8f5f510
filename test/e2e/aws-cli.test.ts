/** What people try first with the AWS CLI, with its real program (version 1). */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { preparePythonTools, runPythonTool } from '../../scripts/python-tools.ts';
import { unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-aws-'));
  // The first time it is a download.
  await preparePythonTools('clients', () => {});
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  code: number;
  output: string;
}

/** As the README says it: variables, and the endpoint with every command. */
async function aws(...commands: string[][]): Promise<Outcome[]> {
  const script = join(import.meta.dirname, 'aws-cli/commands.py');
  const words = commands.map((command) => ['--endpoint-url', cloud.endpointUrl, ...command]);
  const printed = await runPythonTool('clients', 'python3', [script], {
    input: JSON.stringify(words),
    env: {
      AWS_ENDPOINT_URL: cloud.endpointUrl,
      AWS_REGION: cloud.region,
      AWS_DEFAULT_REGION: cloud.region,
      AWS_ACCESS_KEY_ID: cloud.accessKeyId,
      AWS_SECRET_ACCESS_KEY: cloud.secretAccessKey,
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    },
  });
  return JSON.parse(printed) as Outcome[];
}
const failures = (commands: string[][], outcomes: Outcome[]) =>
  outcomes.flatMap(({ code, output }, i) => (code === 0 ? [] : [`${commands[i]?.join(' ')}: ${output}`]));
const first = async (query: string, ...command: string[]) => {
  const [outcome] = await aws([...command, '--query', query, '--output', 'text']);
  expect(outcome?.code, outcome?.output).toBe(0);
  return outcome?.output.trim() ?? '';
};

it('looks at every service', async () => {
  const [, path = ''] = /^[^/]+\/(.+):[^:]+$/.exec(tinyBase) ?? [];
  const commands = [
    ['s3', 'ls'],
    ['logs', 'describe-log-groups'],
    ['ecr', 'describe-repositories'],
    ['ecr', 'describe-images', '--repository-name', path],
    ['ecr', 'list-images', '--repository-name', path],
    ['sqs', 'list-queues'],
    ['events', 'list-rules'],
    ['batch', 'describe-job-queues'],
    ['batch', 'describe-compute-environments'],
    ['codebuild', 'list-projects'],
    ['codebuild', 'list-builds'],
    ['stepfunctions', 'list-state-machines'],
    ['secretsmanager', 'list-secrets'],
    ['cognito-idp', 'list-user-pools', '--max-results', '10'],
    ['ses', 'list-identities'],
    ['sesv2', 'list-email-identities'],
    ['dynamodb', 'list-tables'],
    ['lambda', 'list-functions'],
    ['sts', 'get-caller-identity'],
  ];
  expect(failures(commands, await aws(...commands))).toEqual([]);
});

it('goes on from what it has found', async () => {
  const queue = await first('jobQueues[0].jobQueueName', 'batch', 'describe-job-queues');
  const machine = await first('stateMachines[0].stateMachineArn', 'stepfunctions', 'list-state-machines');
  const pool = await first('UserPools[0].Id', 'cognito-idp', 'list-user-pools', '--max-results', '1');
  const group = await first('logGroups[0].logGroupName', 'logs', 'describe-log-groups');
  const url = await first('QueueUrls[0]', 'sqs', 'list-queues');
  const rule = await first('Rules[0].Name', 'events', 'list-rules');
  const commands = [
    ['batch', 'list-jobs', '--job-queue', queue],
    ['stepfunctions', 'list-executions', '--state-machine-arn', machine],
    ['cognito-idp', 'list-users', '--user-pool-id', pool],
    ['logs', 'describe-log-streams', '--log-group-name', group],
    ['logs', 'filter-log-events', '--log-group-name', group],
    ['sqs', 'get-queue-attributes', '--queue-url', url, '--attribute-names', 'All'],
    ['events', 'list-targets-by-rule', '--rule', rule],
  ];
  expect(failures(commands, await aws(...commands))).toEqual([]);
});

it('copies files of any size to S3 and back', async () => {
  const bucket = await first('Buckets[?contains(Name, `artifacts`)].Name | [0]', 's3api', 'list-buckets');
  const place = `s3://${bucket}/${unique('cli')}`;
  const content = Buffer.alloc(20 * 1024 ** 2, 'slipway');
  await writeFile(join(folder, 'large'), content);
  const commands = [
    ['s3', 'cp', join(folder, 'large'), `${place}/large`],
    ['s3', 'cp', `${place}/large`, `${place}/copy`],
    ['s3', 'cp', `${place}/copy`, join(folder, 'back')],
    ['s3', 'ls', `${place}/`],
    ['s3', 'rm', place, '--recursive'],
  ];
  expect(failures(commands, await aws(...commands))).toEqual([]);
  expect((await readFile(join(folder, 'back'))).equals(content)).toBe(true);
});

it('is refused in a form that it understands, with the name of what is not there', async () => {
  const commands = [
    ['iam', 'list-roles'],
    ['cloudformation', 'list-stacks'],
    ['ec2', 'describe-instances'],
    ['kms', 'list-keys'],
    ['route53', 'list-hosted-zones'],
    ['cloudwatch', 'list-metrics'],
    ['s3', 'mb', `s3://${unique('bucket')}`],
  ];
  for (const { code, output } of await aws(...commands)) {
    expect(code).not.toBe(0);
    expect(output).toMatch(
      /An error occurred \(UnsupportedOperation\) when calling the \w+ operation: The embedded/,
    );
  }
});

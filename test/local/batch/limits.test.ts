import {
  BatchClient,
  DeregisterJobDefinitionCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobsCommand,
  RegisterJobDefinitionCommand,
} from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchPlace, executionRole, queue, shell } from './place.ts';

let place: Awaited<ReturnType<typeof batchPlace>>;
let definition: string;
beforeAll(async () => {
  // Nothing may be placed here: only requests are looked at.
  place = await batchPlace({ machine: { vcpus: 1, memoryMiB: 0, gpuIds: [] } });
  definition = await place.register(shell('true'), { jobDefinitionName: 'limits' });
});
afterAll(() => place.cloud.close());

const requirements = (vcpus: string, memory: string) => ({
  resourceRequirements: [
    { type: 'VCPU', value: vcpus },
    { type: 'MEMORY', value: memory },
  ],
});

describe('RegisterJobDefinition refuses with ClientException', () => {
  test.each([
    ['a definition over 24 KiB', { command: ['x'.repeat(24 * 1024)] }, {}],
    ['an image over 255 characters', { image: `a/${'x'.repeat(254)}` }, {}],
    ['a name with a dot', {}, { jobDefinitionName: 'a.b' }],
    ['a name over 128 characters', {}, { jobDefinitionName: 'x'.repeat(129) }],
    ['a time-out below 60 seconds', {}, { timeout: { attemptDurationSeconds: 59 } }],
    ['more than 10 attempts', {}, { retryStrategy: { attempts: 11 } }],
    ['no attempts', {}, { retryStrategy: { attempts: 0 } }],
    [
      'more than 5 conditions',
      {},
      { retryStrategy: { evaluateOnExit: Array(6).fill({ onReason: 'a*', action: 'RETRY' }) } },
    ],
    [
      'a wildcard in the middle',
      {},
      { retryStrategy: { evaluateOnExit: [{ onReason: 'a*b', action: 'EXIT' }] } },
    ],
    ['variables that begin with AWS_BATCH', { environment: [{ name: 'AWS_BATCH_X', value: '1' }] }, {}],
    ['no memory', { resourceRequirements: [{ type: 'VCPU', value: '1' }] }, {}],
    ['less than 4 MiB of memory', requirements('1', '3'), {}],
    ['vCPUs that are no number', requirements('two', '64'), {}],
    [
      'repositoryCredentials for an image in ECR',
      {
        image: '000000000000.dkr.ecr.us-east-1.amazonaws.com/acme/app:1',
        repositoryCredentials: {
          credentialsParameter: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:a-abcdef',
        },
      },
      {},
    ],
    [
      'more than 50 tags',
      {},
      { tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v'])) },
    ],
    [
      'secrets without an execution role',
      { executionRoleArn: undefined, secrets: [{ name: 'A', valueFrom: 'arn' }] },
      {},
    ],
  ])('%s', async (_, container, more) => {
    await expect(register(container, more)).rejects.toMatchObject({ name: 'ClientException' });
  });

  test.each<[string, object, object, string, string]>([
    [
      'an image left out',
      { image: undefined },
      {},
      'ClientException',
      'containerProperties.image should not be empty',
    ],
    [
      'a number for an image',
      { image: 7 },
      {},
      'SerializationException',
      'NUMBER_VALUE can not be converted to String',
    ],
    [
      'an image too long',
      { image: 'x'.repeat(256) },
      {},
      'ClientException',
      "'containerProperties.image' failed to satisfy constraint: Member must have length less than or equal to 255",
    ],
    [
      'eleven attempts',
      {},
      { retryStrategy: { attempts: 11 } },
      'ClientException',
      "'retryStrategy.attempts' failed to satisfy constraint: Member must have value less than or equal to 10",
    ],
    [
      'an unknown resource',
      { resourceRequirements: [{ type: 'DISK', value: '1' }] },
      {},
      'ClientException',
      'Member must satisfy enum value set: [GPU, VCPU, MEMORY]',
    ],
    [
      'an entry point',
      { entryPoint: ['/bin/sh'] },
      {},
      'UnsupportedOperation',
      'containerProperties.entryPoint',
    ],
    ['several nodes', {}, { type: 'multinode' }, 'UnsupportedOperation', 'the type "multinode"'],
  ])('in the words of Batch: %s', async (_, container, more, name, message) => {
    await expect(register(container, more)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });

  test('roles that the caller may not pass', async () => {
    place.cloud.denied.add(`iam:PassRole ${executionRole}`);
    await expect(place.register()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    place.cloud.denied.clear();
  });

  test('a privileged container, where the policy has a condition against it', async () => {
    place.cloud.denied.add('batch:RegisterJobDefinition batch:Privileged=true');
    await expect(register({ privileged: true }, {})).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(await register({ privileged: false }, {})).toBeDefined();
    expect(await register({}, {})).toBeDefined();
    place.cloud.denied.clear();
  });
});

/** RegisterJobDefinition with members that the SDK's model doesn't have, or types that it wouldn't send. */
const register = (container: object, more: object) => {
  const client = new BatchClient({ ...place.cloud.client(), maxAttempts: 1 });
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: string; headers: Record<string, string> };
      request.body = JSON.stringify({
        jobDefinitionName: 'definition',
        type: 'container',
        containerProperties: {
          image: 'a',
          executionRoleArn: executionRole,
          ...requirements('1', '64'),
          ...container,
        },
        ...more,
      });
      request.headers['content-length'] = String(Buffer.byteLength(request.body));
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  return client.send(
    new RegisterJobDefinitionCommand({ jobDefinitionName: 'definition', type: 'container' }),
  );
};

describe('SubmitJob refuses with ClientException', () => {
  test.each([
    ['a request over 30 KiB', { parameters: { a: 'x'.repeat(30 * 1024) } }],
    ['a name with a space', { jobName: 'a b' }],
    ['a name over 128 characters', { jobName: 'x'.repeat(129) }],
    ['more than 20 dependencies', { dependsOn: Array(21).fill({ jobId: 'a' }) }],
    ['a dependency that is not there', { dependsOn: [{ jobId: 'a' }] }],
    ['a time-out below 60 seconds', { timeout: { attemptDurationSeconds: 59 } }],
    [
      'variables that begin with AWS_BATCH',
      { containerOverrides: { environment: [{ name: 'AWS_BATCH_X', value: '1' }] } },
    ],
    ['an unknown queue', { jobQueue: 'nothing' }],
    ['an unknown definition', { jobDefinition: 'nothing' }],
    ['a share identifier for a queue without a policy', { shareIdentifier: 'a' }],
    ['no share identifier for a queue with a policy', { jobQueue: 'shared', schedulingPriorityOverride: 1 }],
    ['a priority for a queue without a policy', { schedulingPriorityOverride: 1 }],
    [
      'a share identifier with other than letters and digits',
      { jobQueue: 'shared', shareIdentifier: 'a-b', schedulingPriorityOverride: 1 },
    ],
    ['no priority for a queue with a policy', { jobQueue: 'shared', shareIdentifier: 'a' }],
  ])('%s', async (_, input) => {
    await expect(place.submit({ jobDefinition: definition, ...input })).rejects.toMatchObject({
      name: 'ClientException',
    });
  });

  test("a definition's own priority counts: wanted by a queue with a policy, refused by one without", async () => {
    const jobDefinition = await place.register(
      {},
      { jobDefinitionName: 'prioritised', schedulingPriority: 7 },
    );
    await expect(place.submit({ jobDefinition })).rejects.toMatchObject({
      name: 'ClientException',
      message: expect.stringContaining('fair share scheduling policy'),
    });
    const id = await place.submit({ jobDefinition, jobQueue: 'shared', shareIdentifier: 'a' });
    expect(await place.describe(id)).toMatchObject({ schedulingPriority: 7, shareIdentifier: 'a' });
  });

  test('a share beyond the 500 that jobs of the queue have, until one of them has no job left', async () => {
    const { cloud, submit } = place;
    const more = { jobDefinition: definition, jobQueue: 'shared', schedulingPriorityOverride: 1 };
    const id = await submit({ ...more, shareIdentifier: 'a' });
    const copy = cloud.db.prepare(
      `INSERT INTO batch_jobs SELECT ?1, queue, name, definition, status, created_at, stopped_at,
        json_set(job, '$.shareIdentifier', ?1) FROM batch_jobs WHERE id = ?2`,
    );
    for (let i = 1; i < 500; i++) copy.run(`s${i}`, id);
    await submit({ ...more, shareIdentifier: 's7' });
    const another = { ...more, shareIdentifier: 'another' };
    await expect(submit(another)).rejects.toMatchObject({ name: 'ClientException' });
    cloud.db.prepare("UPDATE batch_jobs SET status = 'FAILED' WHERE id = 's8'").run();
    expect(await submit(another)).toBeDefined();
  });

  test('a job without the right to submit it, or to tag it', async () => {
    for (const action of ['batch:SubmitJob', 'batch:TagResource']) {
      place.cloud.denied.add(`* ${action}`);
      await expect(place.submit({ jobDefinition: definition, tags: { a: 'b' } })).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
      place.cloud.denied.clear();
    }
  });

  test('an inactive definition', async () => {
    const arn = await place.register(shell('true'), { jobDefinitionName: 'inactive' });
    await place.client.send(new DeregisterJobDefinitionCommand({ jobDefinition: arn }));
    await expect(place.submit({ jobDefinition: arn })).rejects.toMatchObject({ name: 'ClientException' });
    const { jobDefinitions } = await place.client.send(
      new DescribeJobDefinitionsCommand({ jobDefinitionName: 'inactive', status: 'ACTIVE' }),
    );
    expect(jobDefinitions).toEqual([]);
  });
});

test('DescribeJobs takes at most 100 jobs', async () => {
  await expect(
    place.client.send(new DescribeJobsCommand({ jobs: Array.from({ length: 101 }, () => 'a') })),
  ).rejects.toMatchObject({ name: 'ClientException' });
});

test('a definition gets the next revision under its name, and is found by both', async () => {
  const first = await place.register({}, { jobDefinitionName: 'revised' });
  const second = await place.register({}, { jobDefinitionName: 'revised' });
  expect([first, second].map((arn) => arn.split('/')[1])).toEqual(['revised:1', 'revised:2']);
  const { jobDefinitions } = await place.client.send(
    new DescribeJobDefinitionsCommand({ jobDefinitions: ['revised', 'revised:1'] }),
  );
  expect(jobDefinitions?.map((one) => one.revision)).toEqual([2, 1]);
  expect(queue).toContain('cpu');
});

test('SubmitJob is taken 50 times a second, then TooManyRequestsException', async () => {
  // However long eighty requests take here.
  const { steady } = place.cloud;
  const second = steady();
  Object.assign(place.cloud, { steady: () => second });
  const sent = await Promise.allSettled(
    Array.from({ length: 80 }, () => place.submit({ jobDefinition: definition })),
  );
  const refused = sent.filter((one) => one.status === 'rejected').map((one) => one.reason.name);
  Object.assign(place.cloud, { steady });
  expect(refused.length).toBeGreaterThanOrEqual(30);
  expect(new Set(refused)).toEqual(new Set(['TooManyRequestsException']));
});

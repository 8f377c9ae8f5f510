/** Batch: declared environments and queues, and jobs that run in the container engine of this machine. */
import { callLimiter } from '../call-limiter.ts';
import type { Ecr } from '../ecr/ecr.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineWatch } from '../engine/watch.ts';
import {
  AwsError,
  type Caller,
  type Cloud,
  type DeclaredResource,
  type RestAnswer,
  type Service,
} from '../platform.ts';
import { generatedName } from '../template/names.ts';
import { homeLabel, taskLabel } from './container.ts';
import { type Declared, readDeclared } from './declared.ts';
import { describeJob, type Job } from './job.ts';
import { readMachine } from './machine.ts';
import { batchOperations } from './operations.ts';
import type { Machine } from './placement.ts';
import { createScheduler } from './scheduler.ts';
import { createBatchStore } from './store.ts';
import { submitJob } from './submit.ts';

export interface BatchParts {
  engine: Engine;
  engineWatch: EngineWatch;
  ecr: Ecr;
  /** What jobs may use; by default what the engine reports. */
  machine?: Machine;
  /** ECS's own default is 30. */
  stopGraceSeconds?: number;
}

export interface Batch extends Service {
  /** SubmitJob for another service on a caller's behalf; returns the job's id. */
  submit(caller: Pick<Caller, 'authorize'>, input: unknown): string;
  /** Resolves with the job, as DescribeJobs shows it, once it has ended. */
  ended(jobId: string): Promise<Record<string, unknown>>;
  /** The job as DescribeJobs shows it. */
  describe(jobId: string): Record<string, unknown> | undefined;
  /** TerminateJob for another service, which has checked the rights. */
  terminate(jobId: string, reason: string): void;
}

const keptDays = 7;
/** AWS's quota per account. */
const submissionsPerSecond = 50;
const hourMs = 3_600_000;
const requestLimitBytes = 1024 * 1024;

export function createBatch(
  cloud: Cloud,
  { engine, engineWatch, ecr, machine, stopGraceSeconds = 30 }: BatchParts,
): Batch {
  const store = createBatchStore(cloud.db);
  const declared: Declared = { environments: new Map(), queues: new Map() };
  let capacity: Machine = machine ?? { vcpus: 0, memoryMiB: 0, gpuIds: [] };
  const limitSubmissions = callLimiter(
    submissionsPerSecond,
    () => cloud.steady().ms,
    () => new AwsError('TooManyRequestsException', 'Too Many Requests', 429),
  );
  const scheduler = createScheduler(
    { cloud, engine, engineWatch, ecr, store, stopGraceSeconds },
    declared.queues,
    () => capacity,
  );
  const parts = { cloud, store, scheduler, limitSubmissions, ...declared };
  const operations = batchOperations(parts);
  const named = (kind: string, property: string) => ({
    physicalId: (resource: Pick<DeclaredResource, 'stack' | 'logicalId' | 'properties'>) =>
      `arn:aws:batch:${cloud.region}:${cloud.accountId}:${kind}/${resource.properties?.[property] ?? generatedName(resource, 128)}`,
  });
  const find = (id: string): Job | undefined => scheduler.find(id) ?? store.job(id);
  let stopForgetting = () => {};

  const forgetOld = () => store.forgetEndedBefore(cloud.now().getTime() - keptDays * 24 * hourMs);

  /** Removes what an earlier process left of attempts that are no longer under way. */
  const removeStrangers = async (jobs: Job[]) => {
    const known = jobs.flatMap((job) => job.current?.taskId ?? []);
    for (const { Id, Labels } of await engine.list({ [homeLabel]: cloud.home }))
      if (!known.includes(Labels[taskLabel] ?? '')) await engine.remove(Id);
    store.keepLogPositions(known);
  };

  return {
    signingName: 'batch',
    resourceTypes: {
      'AWS::Batch::ComputeEnvironment': {
        ...named('compute-environment', 'ComputeEnvironmentName'),
        attributes: ({ physicalId }) => ({ ComputeEnvironmentArn: physicalId }),
      },
      'AWS::Batch::JobQueue': {
        ...named('job-queue', 'JobQueueName'),
        attributes: ({ physicalId }) => ({ JobQueueArn: physicalId }),
      },
      'AWS::Batch::SchedulingPolicy': {
        ...named('scheduling-policy', 'Name'),
        attributes: ({ physicalId }) => ({ Arn: physicalId }),
      },
    },
    async deploy(resources) {
      const read = readDeclared(resources);
      for (const [key, value] of read.environments) declared.environments.set(key, value);
      for (const [key, value] of read.queues) declared.queues.set(key, value);
    },
    async start() {
      if (!machine) capacity = await readMachine(engine);
      const jobs = store.unendedJobs();
      await removeStrangers(jobs);
      scheduler.recover(jobs);
      forgetOld();
      stopForgetting = cloud.every(hourMs, 'jobs that ended a week ago', forgetOld);
    },
    async stop() {
      stopForgetting();
      const left = scheduler.all().filter((job) => job.status === 'RUNNING').length;
      if (left > 0)
        cloud.log(
          'batch',
          `jobs still running in the container engine: ${left}; the next start follows them again`,
        );
      await scheduler.close();
    },
    async serve(call): Promise<RestAnswer> {
      const operation = /^\/v1\/([a-z]+)$/.exec(call.path)?.[1] ?? call.path;
      const handler = call.method === 'POST' ? operations[operation] : undefined;
      if (!handler)
        throw new AwsError(
          'UnsupportedOperation',
          `The embedded cloud does not implement batch:${call.method} ${call.path}.`,
        );
      const body = (await call.readBody(requestLimitBytes)).toString('utf8');
      const answer = handler(call, parseBody(body));
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) };
    },
    submit(caller, input) {
      const job = submitJob(parts, caller, input);
      scheduler.add(job);
      return job.id;
    },
    ended: async (jobId) => describeJob(await scheduler.ended(jobId), cloud),
    describe(jobId) {
      const job = find(jobId);
      return job && describeJob(job, cloud);
    },
    terminate(jobId, reason) {
      const job = find(jobId);
      if (job) scheduler.terminate(job, reason);
    },
  };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    throw new AwsError('ClientException', 'The request body is not valid JSON');
  }
}

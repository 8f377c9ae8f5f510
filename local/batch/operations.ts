/** Batch's operations, each from the request's body to the answer's. */
import * as z from 'zod';
import { AwsError, type Caller, type Cloud } from '../platform.ts';
import type { ComputeEnvironment, JobQueue } from './declared.ts';
import { describeJob, type Job, type JobStatus } from './job.ts';
import { type JobDefinition, parse, readRegistration } from './job-definition.ts';
import type { Scheduler } from './scheduler.ts';
import type { BatchStore, JobFilter } from './store.ts';
import { findDefinition, findQueue, submitJob } from './submit.ts';

export interface OperationParts {
  cloud: Cloud;
  store: BatchStore;
  scheduler: Scheduler;
  queues: ReadonlyMap<string, JobQueue>;
  environments: ReadonlyMap<string, ComputeEnvironment>;
  limitSubmissions(): void;
}

type Operation = (caller: Caller, input: unknown) => object;

const page = { maxResults: z.number().int().min(1).max(100).optional(), nextToken: z.string().optional() };
const endJob = z.strictObject({ jobId: z.string(), reason: z.string().min(1) });
const statuses = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;

export function batchOperations(parts: OperationParts): Record<string, Operation> {
  const { cloud, store, scheduler, queues, environments } = parts;
  const arn = (resource: string) => `arn:aws:batch:${cloud.region}:${cloud.accountId}:${resource}`;
  const findJob = (idOrArn: string): Job | undefined => {
    const id = idOrArn.replace(/^arn:.*:job\//, '');
    return scheduler.find(id) ?? store.job(id);
  };

  return {
    registerjobdefinition(caller, input) {
      const asked = input as {
        jobDefinitionName?: unknown;
        containerProperties?: { privileged?: unknown };
      } | null;
      const name = asked?.jobDefinitionName;
      const privileged = asked?.containerProperties?.privileged;
      caller.authorize(
        'batch:RegisterJobDefinition',
        arn(`job-definition/${String(name)}`),
        privileged === undefined ? {} : { 'batch:Privileged': String(privileged) },
      );
      const registration = readRegistration(input, (image) => isEcrImage(cloud, image));
      const { executionRoleArn, jobRoleArn } = registration.containerProperties;
      for (const role of new Set([executionRoleArn, jobRoleArn]))
        if (role)
          caller.authorize('iam:PassRole', role, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' });
      if (Object.keys(registration.tags).length > 0)
        caller.authorize('batch:TagResource', arn(`job-definition/${registration.jobDefinitionName}`));
      const revision = store.nextRevision(registration.jobDefinitionName);
      const jobDefinitionArn = arn(`job-definition/${registration.jobDefinitionName}:${revision}`);
      store.saveDefinition({ ...registration, jobDefinitionArn, revision, status: 'ACTIVE' });
      return { jobDefinitionName: registration.jobDefinitionName, jobDefinitionArn, revision };
    },

    describejobdefinitions(caller, input) {
      caller.authorize('batch:DescribeJobDefinitions', '*');
      const request = parse(
        z.strictObject({
          ...page,
          jobDefinitions: z.array(z.string()).max(100).optional(),
          jobDefinitionName: z.string().optional(),
          status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
        }),
        input,
      );
      if (request.jobDefinitions?.length) {
        const found = request.jobDefinitions.map((one) => findDefinition(parts, one));
        return { jobDefinitions: found.filter((one) => one !== undefined).map(describeDefinition) };
      }
      return paged(request, (count, offset) =>
        store.definitions(request.jobDefinitionName, request.status, count, offset),
      )('jobDefinitions', describeDefinition);
    },

    deregisterjobdefinition(caller, input) {
      const { jobDefinition } = parse(z.strictObject({ jobDefinition: z.string() }), input);
      const [name = '', revision] = jobDefinition.replace(/^arn:.*:job-definition\//, '').split(':');
      caller.authorize('batch:DeregisterJobDefinition', arn(`job-definition/${name}:${revision ?? ''}`));
      const found = revision === undefined ? undefined : store.definition(name, Number(revision));
      if (!found)
        throw new AwsError('ClientException', 'Job definition with revision required, and must exist');
      store.saveDefinition({ ...found, status: 'INACTIVE', deregisteredAt: cloud.now().getTime() });
      return {};
    },

    submitjob(caller, input) {
      const job = submitJob(parts, caller, input);
      scheduler.add(job);
      return { jobArn: job.arn, jobName: job.name, jobId: job.id };
    },

    describejobs(caller, input) {
      caller.authorize('batch:DescribeJobs', '*');
      const { jobs } = parse(z.strictObject({ jobs: z.array(z.string()).min(1).max(100) }), input);
      const found = jobs.map(findJob).filter((job) => job !== undefined);
      return { jobs: found.map((job) => describeJob(job, cloud)) };
    },

    listjobs(caller, input) {
      caller.authorize('batch:ListJobs', '*');
      const request = parse(
        z.strictObject({
          ...page,
          jobQueue: z.string(),
          jobStatus: z.enum(statuses).optional(),
          filters: z
            .array(z.strictObject({ name: z.string(), values: z.array(z.string()).min(1) }))
            .max(1)
            .optional(),
        }),
        input,
      );
      const queue = findQueue(parts, request.jobQueue);
      if (!queue) throw new AwsError('ClientException', `JobQueue ${request.jobQueue} not found`);
      const filter = readFilter(queue, request.filters?.[0], request.jobStatus);
      return paged(request, (count, offset) => store.findJobs(filter, count, offset))(
        'jobSummaryList',
        summarize,
      );
    },

    canceljob(caller, input) {
      const { jobId, reason } = parse(endJob, input);
      caller.authorize('batch:CancelJob', arn(`job/${jobId}`));
      const job = findJob(jobId);
      if (job) scheduler.cancel(job, reason);
      return {};
    },

    terminatejob(caller, input) {
      const { jobId, reason } = parse(endJob, input);
      caller.authorize('batch:TerminateJob', arn(`job/${jobId}`));
      const job = findJob(jobId);
      if (job) scheduler.terminate(job, reason);
      return {};
    },

    describejobqueues(caller, input) {
      caller.authorize('batch:DescribeJobQueues', '*');
      const request = parse(z.strictObject({ ...page, jobQueues: z.array(z.string()).optional() }), input);
      const wanted = request.jobQueues?.length
        ? request.jobQueues.map((one) => findQueue(parts, one)).filter((one) => one !== undefined)
        : [...queues.values()];
      return paged(request, (count, offset) => wanted.slice(offset, offset + count))(
        'jobQueues',
        describeQueue,
      );
    },

    describecomputeenvironments(caller, input) {
      caller.authorize('batch:DescribeComputeEnvironments', '*');
      const request = parse(
        z.strictObject({ ...page, computeEnvironments: z.array(z.string()).optional() }),
        input,
      );
      const names = request.computeEnvironments;
      const wanted = [...environments.values()].filter(
        (one) => !names?.length || names.includes(one.name) || names.includes(one.arn),
      );
      return paged(request, (count, offset) => wanted.slice(offset, offset + count))(
        'computeEnvironments',
        describeEnvironment,
      );
    },
  };
}

const isEcrImage = (cloud: Cloud, image: string) =>
  image.startsWith(`${cloud.registryHost}/`) ||
  /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\//.test(image);

function readFilter(
  queue: JobQueue,
  filter: { name: string; values: string[] } | undefined,
  status: JobStatus | undefined,
): JobFilter {
  const [value = ''] = filter?.values ?? [];
  switch (filter?.name) {
    case undefined:
      return { queue: queue.arn, statuses: [status ?? 'RUNNING'] };
    case 'JOB_NAME':
      return { queue: queue.arn, name: value };
    case 'JOB_DEFINITION':
      return { queue: queue.arn, definition: value };
    case 'BEFORE_CREATED_AT':
      return { queue: queue.arn, createdBefore: Number(value) };
    case 'AFTER_CREATED_AT':
      return { queue: queue.arn, createdAfter: Number(value) };
    default:
      throw new AwsError('ClientException', `The filter ${filter?.name} is not supported`);
  }
}

/** Runs a query for one page and one item more, which tells whether there is another page. */
function paged<T>(
  { maxResults = 100, nextToken }: { maxResults?: number | undefined; nextToken?: string | undefined },
  query: (count: number, offset: number) => T[],
) {
  const offset = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, 'base64url').toString());
  if (!Number.isInteger(offset) || offset < 0)
    throw new AwsError('ClientException', 'nextToken is not valid');
  const found = query(maxResults + 1, offset);
  return (member: string, describe: (one: T) => object) => ({
    [member]: found.slice(0, maxResults).map(describe),
    ...(found.length > maxResults && {
      nextToken: Buffer.from(String(offset + maxResults)).toString('base64url'),
    }),
  });
}

function describeDefinition(definition: JobDefinition): object {
  const { deregisteredAt: _, ...shown } = definition;
  return { ...shown, containerOrchestrationType: 'ECS' };
}

const summarize = (job: Job) => ({
  jobArn: job.arn,
  jobId: job.id,
  jobName: job.name,
  jobDefinition: job.definitionArn,
  createdAt: job.createdAt,
  status: job.status,
  ...(job.statusReason !== undefined && { statusReason: job.statusReason }),
  ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
  ...(job.stoppedAt !== undefined && { stoppedAt: job.stoppedAt }),
  container: {
    ...(job.attempts.at(-1)?.exitCode !== undefined && { exitCode: job.attempts.at(-1)?.exitCode }),
    ...(job.attempts.at(-1)?.reason !== undefined && { reason: job.attempts.at(-1)?.reason }),
  },
});

const describeQueue = (queue: JobQueue) => ({
  jobQueueName: queue.name,
  jobQueueArn: queue.arn,
  state: queue.enabled ? 'ENABLED' : 'DISABLED',
  status: 'VALID',
  statusReason: 'JobQueue Healthy',
  priority: queue.priority,
  ...(queue.policy && { schedulingPolicyArn: queue.policy.arn }),
  computeEnvironmentOrder: queue.environments.map((one, index) => ({
    order: index + 1,
    computeEnvironment: one.arn,
  })),
  jobStateTimeLimitActions: queue.timeLimitActions.map(({ reason, maxTimeSeconds }) => ({
    reason,
    state: 'RUNNABLE',
    maxTimeSeconds,
    action: 'CANCEL',
  })),
  tags: {},
});

const describeEnvironment = (environment: ComputeEnvironment) => ({
  computeEnvironmentName: environment.name,
  computeEnvironmentArn: environment.arn,
  type: 'MANAGED',
  state: environment.enabled ? 'ENABLED' : 'DISABLED',
  status: 'VALID',
  statusReason: 'ComputeEnvironment Healthy',
  computeResources: {
    type: environment.kind,
    minvCpus: 0,
    maxvCpus: environment.maxVcpus,
    instanceTypes: environment.instanceTypes.map(({ name }) => name),
  },
  containerOrchestrationType: 'ECS',
  tags: {},
});

/** SubmitJob: what it takes, and the job it makes. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { AwsError, type Caller, type Cloud } from '../platform.ts';
import type { JobQueue } from './declared.ts';
import type { Job } from './job.ts';
import {
  environment,
  type JobDefinition,
  parse,
  requirementsOf,
  retryStrategy,
  tags,
  timeout,
} from './job-definition.ts';
import type { BatchStore } from './store.ts';

const submissionLimitBytes = 30 * 1024;
/** Identifiers that unended jobs of one queue have. */
const activeSharesLimit = 500;

const submission = z.strictObject({
  jobName: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, 'Job name should match valid pattern'),
  jobQueue: z.string(),
  jobDefinition: z.string(),
  shareIdentifier: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9]+$/)
    .optional(),
  schedulingPriorityOverride: z.number().int().min(0).max(9999).optional(),
  dependsOn: z
    .array(z.strictObject({ jobId: z.string(), type: z.literal('SEQUENTIAL').optional() }))
    .max(20)
    .default([]),
  parameters: z.record(z.string(), z.string()).default({}),
  containerOverrides: z
    .strictObject({
      command: z.array(z.string()).optional(),
      environment: environment.optional(),
      resourceRequirements: z
        .array(z.strictObject({ type: z.enum(['GPU', 'VCPU', 'MEMORY']), value: z.string() }))
        .optional(),
      vcpus: z.number().int().positive().optional(),
      memory: z.number().int().positive().optional(),
    })
    .default({}),
  retryStrategy: retryStrategy.optional(),
  timeout: timeout.optional(),
  propagateTags: z.boolean().optional(),
  tags: tags.default({}),
});

type Submission = z.infer<typeof submission>;

export interface SubmitParts {
  cloud: Cloud;
  store: BatchStore;
  queues: ReadonlyMap<string, JobQueue>;
  /** Throws beyond the account's rate of submissions. */
  limitSubmissions(): void;
}

/**
 * Checks a submission and the caller's rights, and records the job as SUBMITTED. Throws `ClientException` with Batch's
 * reason, `AccessDeniedException`.
 */
export function submitJob(parts: SubmitParts, caller: Pick<Caller, 'authorize'>, input: unknown): Job {
  const { cloud, store } = parts;
  parts.limitSubmissions();
  if (Buffer.byteLength(JSON.stringify(input)) > submissionLimitBytes)
    throw new AwsError('ClientException', 'The size of the SubmitJob request exceeds the limit of 30 KiB');
  const read = parse(submission, input);
  const queue = findQueue(parts, read.jobQueue);
  const definition = findDefinition(parts, read.jobDefinition);
  const definitionArn = definition?.jobDefinitionArn ?? definitionArnOf(cloud, read.jobDefinition);
  caller.authorize('batch:SubmitJob', definitionArn);
  caller.authorize('batch:SubmitJob', queue?.arn ?? queueArnOf(cloud, read.jobQueue));
  if (Object.keys(read.tags).length > 0)
    caller.authorize('batch:TagResource', `arn:aws:batch:${cloud.region}:${cloud.accountId}:job/*`);
  if (!queue) throw new AwsError('ClientException', `JobQueue ${read.jobQueue} not found`);
  if (!queue.enabled)
    throw new AwsError('ClientException', `JobQueue ${read.jobQueue} is not in state ENABLED`);
  if (definition?.status !== 'ACTIVE')
    throw new AwsError('ClientException', `JobDefinition ${read.jobDefinition} is not found or not ACTIVE`);
  checkShare(parts, queue, definition, read);
  for (const { jobId } of read.dependsOn)
    if (!store.job(jobId)) throw new AwsError('ClientException', `Job dependency ${jobId} not found`);

  const job = makeJob(cloud, queue, definition, read);
  requirementsOf(job.container);
  store.insertJob(job);
  return job;
}

/** A queue with a policy wants a share and a priority of every job, the definition's or the submission's; one without, neither. */
function checkShare(
  { store }: Pick<SubmitParts, 'store'>,
  queue: JobQueue,
  definition: JobDefinition,
  { shareIdentifier, schedulingPriorityOverride }: Submission,
): void {
  const priority = schedulingPriorityOverride ?? definition.schedulingPriority;
  const refused = (message: string) => new AwsError('ClientException', message);
  if (!queue.policy) {
    if (shareIdentifier === undefined && priority === undefined) return;
    throw refused(
      'Job with shareIdentifier or schedulingPriority can only be submitted to job queue with fair share scheduling policy',
    );
  }
  if (shareIdentifier === undefined)
    throw refused('shareIdentifier must be specified for a job queue with a scheduling policy');
  if (priority === undefined)
    throw refused(
      'Either schedulingPriority in job definition or schedulingPriorityOverride should be specified.',
    );
  const active = store.activeShares(queue.arn);
  if (active.size >= activeSharesLimit && !active.has(shareIdentifier))
    throw refused(`The job queue has ${activeSharesLimit} active share identifiers`);
}

function makeJob(cloud: Cloud, queue: JobQueue, definition: JobDefinition, read: Submission): Job {
  const id = randomUUID();
  const priority = read.schedulingPriorityOverride ?? definition.schedulingPriority;
  const strategy = read.retryStrategy ?? definition.retryStrategy;
  const timeoutSeconds = (read.timeout ?? definition.timeout)?.attemptDurationSeconds;
  return {
    id,
    arn: `arn:aws:batch:${cloud.region}:${cloud.accountId}:job/${id}`,
    name: read.jobName,
    queueArn: queue.arn,
    definitionArn: definition.jobDefinitionArn,
    definitionName: definition.jobDefinitionName,
    status: 'SUBMITTED',
    ...(read.shareIdentifier !== undefined && { shareIdentifier: read.shareIdentifier }),
    ...(priority !== undefined && { schedulingPriority: priority }),
    createdAt: cloud.now().getTime(),
    retryStrategy: { attempts: strategy?.attempts ?? 1, evaluateOnExit: strategy?.evaluateOnExit ?? [] },
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    dependsOn: read.dependsOn.map(({ jobId }) => jobId),
    parameters: { ...definition.parameters, ...read.parameters },
    tags: read.tags,
    propagateTags: read.propagateTags ?? definition.propagateTags,
    container: override(definition, read),
    overridesLength: overridesLength(id, queue, read),
    attempts: [],
    isCancelled: false,
    isTerminated: false,
  };
}

function override({ containerProperties }: JobDefinition, { containerOverrides: given }: Submission) {
  const names = new Set((given.environment ?? []).map(({ name }) => name));
  const types = new Set((given.resourceRequirements ?? []).map(({ type }) => type));
  return {
    ...containerProperties,
    ...(given.command && { command: given.command }),
    ...(given.vcpus && { vcpus: given.vcpus }),
    ...(given.memory && { memory: given.memory }),
    environment: [
      ...containerProperties.environment.filter(({ name }) => !names.has(name)),
      ...(given.environment ?? []),
    ],
    resourceRequirements: [
      ...containerProperties.resourceRequirements.filter(({ type }) => !types.has(type)),
      ...(given.resourceRequirements ?? []),
    ],
  };
}

/** Length of what Batch gives to the container agent: the overrides and the variables that it adds itself. */
function overridesLength(id: string, queue: JobQueue, { containerOverrides }: Submission): number {
  const own = {
    AWS_BATCH_JOB_ID: id,
    AWS_BATCH_JOB_ATTEMPT: '1',
    AWS_BATCH_CE_NAME: queue.environments[0]?.name,
    AWS_BATCH_JQ_NAME: queue.name,
  };
  const variables = [
    ...(containerOverrides.environment ?? []),
    ...Object.entries(own).map(([name, value]) => ({ name, value })),
  ];
  return JSON.stringify({
    containerOverrides: [{ name: 'default', ...containerOverrides, environment: variables }],
  }).length;
}

const queueArnOf = (cloud: Cloud, name: string) =>
  name.startsWith('arn:') ? name : `arn:aws:batch:${cloud.region}:${cloud.accountId}:job-queue/${name}`;
const definitionArnOf = (cloud: Cloud, name: string) =>
  name.startsWith('arn:') ? name : `arn:aws:batch:${cloud.region}:${cloud.accountId}:job-definition/${name}`;

/** A queue by name or ARN. */
export const findQueue = (
  { cloud, queues }: Pick<SubmitParts, 'cloud' | 'queues'>,
  nameOrArn: string,
): JobQueue | undefined => queues.get(queueArnOf(cloud, nameOrArn));

/** A definition by name, `name:revision` or ARN; without a revision the latest active one. */
export function findDefinition(
  { store }: Pick<SubmitParts, 'store'>,
  nameOrArn: string,
): JobDefinition | undefined {
  const [name = '', revision] = nameOrArn.replace(/^arn:.*:job-definition\//, '').split(':');
  return revision === undefined ? store.latestActive(name) : store.definition(name, Number(revision));
}

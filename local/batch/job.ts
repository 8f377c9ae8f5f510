/** A job as it is recorded, and as DescribeJobs shows it. Times are epoch milliseconds. */
import type { SteadyTime } from '../steady-time.ts';
import type { ContainerProperties, RetryStrategy } from './job-definition.ts';

export type JobStatus =
  | 'SUBMITTED'
  | 'PENDING'
  | 'RUNNABLE'
  | 'STARTING'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED';

export interface Attempt {
  taskId: string;
  environmentArn: string;
  gpuIds: number[];
  placedAt: number;
  logStream: string;
  startedAt?: number;
  startedSteady?: SteadyTime;
  stoppedAt?: number;
  exitCode?: number;
  /** The container's own reason, such as `OutOfMemoryError: …`. */
  reason?: string;
  statusReason?: string;
}

export interface Job {
  id: string;
  arn: string;
  name: string;
  queueArn: string;
  definitionArn: string;
  definitionName: string;
  status: JobStatus;
  statusReason?: string;
  shareIdentifier?: string;
  /** Every job of a queue with a policy has one; nobody asks for the others'. */
  schedulingPriority?: number;
  createdAt: number;
  startedAt?: number;
  stoppedAt?: number;
  retryStrategy: RetryStrategy;
  timeoutSeconds?: number;
  dependsOn: string[];
  parameters: Record<string, string>;
  tags: Record<string, string>;
  propagateTags: boolean;
  /** The definition's, with the submission's overrides. */
  container: ContainerProperties;
  /** Characters of the overrides as Batch hands them to the container agent. */
  overridesLength: number;
  /** Attempts that have ended. */
  attempts: Attempt[];
  /** The attempt under way, from STARTING on. */
  current?: Attempt;
  /** Why it is at the head of its queue and still can't be placed, and since when. */
  blocked?: { reason: string; since: number; sinceSteady?: SteadyTime };
  isCancelled: boolean;
  isTerminated: boolean;
  terminationReason?: string;
}

export const isEnded = (job: Job): boolean => job.status === 'SUCCEEDED' || job.status === 'FAILED';
export const isPlaced = (job: Job): boolean => job.status === 'STARTING' || job.status === 'RUNNING';

interface Place {
  region: string;
  accountId: string;
}

/** The job in the API's form; events carry the same. */
export function describeJob(job: Job, place: Place) {
  const latest = job.current ?? job.attempts.at(-1);
  const { container } = job;
  return {
    jobArn: job.arn,
    jobName: job.name,
    jobId: job.id,
    jobQueue: job.queueArn,
    status: job.status,
    ...(job.statusReason !== undefined && { statusReason: job.statusReason }),
    ...(job.shareIdentifier !== undefined && {
      shareIdentifier: job.shareIdentifier,
      schedulingPriority: job.schedulingPriority,
    }),
    attempts: job.attempts.map((attempt) => ({
      container: { ...describeAttempt(attempt, place), networkInterfaces: [] },
      ...(attempt.startedAt !== undefined && { startedAt: attempt.startedAt }),
      ...(attempt.stoppedAt !== undefined && { stoppedAt: attempt.stoppedAt }),
      ...(attempt.statusReason !== undefined && { statusReason: attempt.statusReason }),
    })),
    createdAt: job.createdAt,
    ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
    ...(job.stoppedAt !== undefined && { stoppedAt: job.stoppedAt }),
    retryStrategy: job.retryStrategy,
    dependsOn: job.dependsOn.map((jobId) => ({ jobId })),
    jobDefinition: job.definitionArn,
    parameters: job.parameters,
    container: {
      image: container.image,
      command: container.command,
      ...(container.jobRoleArn && { jobRoleArn: container.jobRoleArn }),
      ...(container.executionRoleArn && { executionRoleArn: container.executionRoleArn }),
      volumes: [],
      environment: container.environment,
      mountPoints: [],
      ulimits: container.ulimits,
      ...(container.user !== undefined && { user: container.user }),
      ...(container.privileged !== undefined && { privileged: container.privileged }),
      ...(container.readonlyRootFilesystem !== undefined && {
        readonlyRootFilesystem: container.readonlyRootFilesystem,
      }),
      ...(latest && describeAttempt(latest, place)),
      networkInterfaces: [],
      resourceRequirements: container.resourceRequirements,
      ...(container.linuxParameters && { linuxParameters: container.linuxParameters }),
      ...(container.logConfiguration && { logConfiguration: container.logConfiguration }),
      ...(container.repositoryCredentials && { repositoryCredentials: container.repositoryCredentials }),
      secrets: container.secrets,
    },
    ...(job.timeoutSeconds !== undefined && { timeout: { attemptDurationSeconds: job.timeoutSeconds } }),
    tags: job.tags,
    propagateTags: job.propagateTags,
    platformCapabilities: ['EC2'],
    eksAttempts: [],
    isCancelled: job.isCancelled,
    isTerminated: job.isTerminated,
  };
}

function describeAttempt(attempt: Attempt, { region, accountId }: Place) {
  const cluster = attempt.environmentArn.slice(attempt.environmentArn.indexOf('/') + 1);
  const arn = (kind: string, id: string) => `arn:aws:ecs:${region}:${accountId}:${kind}/${cluster}/${id}`;
  return {
    containerInstanceArn: arn('container-instance', attempt.taskId.split('').reverse().join('')),
    taskArn: arn('task', attempt.taskId),
    logStreamName: attempt.logStream,
    ...(attempt.exitCode !== undefined && { exitCode: attempt.exitCode }),
    ...(attempt.reason !== undefined && { reason: attempt.reason }),
  };
}

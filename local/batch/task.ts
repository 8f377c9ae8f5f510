/** One attempt of a job: its container from the pull to the end, its log line by line. */
import { EngineError } from '../engine/connection.ts';
import type { ContainerState } from '../engine/engine.ts';
import { type EngineWatch, isUnreachable } from '../engine/watch.ts';
import { AwsError, type Principal } from '../platform.ts';
import { containerName, containerSpec } from './container.ts';
import { type ImageParts, pullImage, TaskStartError } from './image.ts';
import type { Attempt, Job } from './job.ts';
import type { BatchStore } from './store.ts';
import { createTaskLog } from './task-log.ts';

export interface TaskParts extends ImageParts {
  engineWatch: EngineWatch;
  store: BatchStore;
  /** Time between SIGTERM and SIGKILL, ECS's `stopTimeout`. */
  stopGraceSeconds: number;
}

export interface TaskEnd {
  exitCode?: number;
  /** The container's `reason`. */
  reason?: string;
  statusReason: string;
  succeeded: boolean;
}

export interface TaskContext {
  /** True once the engine was away during the attempt. */
  engineWasAway?: boolean;
  job: Job;
  attempt: Attempt;
  queueName: string;
  environmentName: string;
  /** Called once, as soon as the container runs. */
  onRunning(): void;
  /** Aborted when the job must end: the container is stopped. */
  signal: AbortSignal;
  /** Aborted when this cloud lets go of the task, which goes on by itself. */
  release: AbortSignal;
}

/** Thrown where the cloud ends before the task does. */
export class TaskReleasedError extends Error {
  override name = 'TaskReleasedError';
}

const containerExited = 'Essential container in task exited';
const taskFailedToStart = 'Task failed to start';

/**
 * Runs the attempt, or takes up one whose container is already there. Resolves with how it ended; its container is left
 * for `removals.ts`, once that is on record. While the engine is away it waits, and then looks again.
 */
export async function runTask(parts: TaskParts, context: TaskContext): Promise<TaskEnd> {
  const { attempt, signal, release } = context;
  for (;;) {
    try {
      return await takeUp(parts, context);
    } catch (error) {
      if (release.aborted) throw new TaskReleasedError();
      const hasStarted = attempt.startedAt !== undefined;
      if (isUnreachable(error) && (hasStarted || !signal.aborted)) {
        context.engineWasAway = true;
        const waiting = hasStarted ? release : AbortSignal.any([signal, release]);
        await parts.engineWatch.answers(waiting).catch((aborted) => {
          if (!waiting.aborted) throw aborted;
        });
        continue;
      }
      if (signal.aborted) return { statusReason: taskFailedToStart, succeeded: false };
      if (error instanceof TaskStartError)
        return { reason: error.message, statusReason: taskFailedToStart, succeeded: false };
      if (error instanceof EngineError && isLoss(error)) return hostLost(parts, context);
      throw error;
    }
  }
}

async function takeUp(parts: TaskParts, context: TaskContext): Promise<TaskEnd> {
  const { attempt } = context;
  const existing = await parts.engine.inspect(containerName(attempt));
  if (!existing && attempt.startedAt !== undefined) return hostLost(parts, context);
  const id = existing?.Id ?? (await createContainer(parts, context));
  if (!existing || existing.State.Status === 'created') await startContainer(parts, context, id);
  if (attempt.startedAt === undefined) context.onRunning();
  return follow(parts, context, id);
}

/** The engine has no such container (404), or is about to have none (409). */
const isLoss = ({ status }: EngineError) => [404, 409].includes(status);

function hostLost({ cloud }: TaskParts, { job, attempt, engineWasAway }: TaskContext): TaskEnd {
  const reason = engineWasAway
    ? 'The container engine stopped and took the container with it.'
    : 'The container engine no longer has the container.';
  cloud.log('batch', `${job.id}: ${reason}`);
  return {
    statusReason: `Host EC2 (instance i-${attempt.taskId.slice(0, 17)}) terminated.`,
    reason,
    succeeded: false,
  };
}

/** What an engine that ends, or comes back, leaves of containers that it had: SIGTERM, SIGKILL, or no status at all. */
const endedByEngine = [143, 137, 255];

async function createContainer(parts: TaskParts, context: TaskContext): Promise<string> {
  const { cloud, engine } = parts;
  const { job, attempt, signal, release } = context;
  const { container } = job;
  const execution = assume(parts, container.executionRoleArn, attempt.taskId);
  checkLogRights(parts, context, execution);
  const secrets = container.secrets.map(({ name, valueFrom }) => ({
    name,
    value: readSecret(parts, execution, valueFrom),
  }));
  await pullImage(parts, container, execution, AbortSignal.any([signal, release]));
  const spec = containerSpec(job, attempt, {
    home: cloud.home,
    queueName: context.queueName,
    environmentName: context.environmentName,
    awsEnvironment: awsEnvironment(parts, context),
    secrets,
  });
  signal.throwIfAborted();
  try {
    return await engine.create(containerName(attempt), spec);
  } catch (error) {
    if (!(error instanceof EngineError) || error.status === 0) throw error;
    throw new TaskStartError(`CannotCreateContainerError: Error response from daemon: ${error.message}`);
  }
}

async function startContainer({ engine }: TaskParts, { signal }: TaskContext, id: string): Promise<void> {
  signal.throwIfAborted();
  try {
    await engine.start(id);
  } catch (error) {
    if (!(error instanceof EngineError) || error.status === 0) throw error;
    throw new TaskStartError(`CannotStartContainerError: Error response from daemon: ${error.message}`);
  }
}

/** The log and the end of a container that runs, or has run. */
async function follow(parts: TaskParts, context: TaskContext, id: string): Promise<TaskEnd> {
  const { engine, stopGraceSeconds } = parts;
  const { job, attempt, signal, release } = context;
  const log = createTaskLog(parts, job, attempt, id, release);
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping = engine.stop(id, stopGraceSeconds);
    stopping.catch(() => undefined); // Awaited below.
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    await log.follow();
    await engine.wait(id, release);
    await log.complete();
    await stopping;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const ended = await engine.inspect(id);
  if (!ended) return hostLost(parts, context);
  const { ExitCode, OOMKilled } = ended.State;
  const isLost = context.engineWasAway && !signal.aborted && !OOMKilled && endedByEngine.includes(ExitCode);
  return isLost ? hostLost(parts, context) : endOf(ended.State);
}

function endOf({ ExitCode: exitCode, OOMKilled }: ContainerState): TaskEnd {
  return {
    exitCode,
    ...(OOMKilled && { reason: 'OutOfMemoryError: Container killed due to memory usage' }),
    statusReason: containerExited,
    succeeded: exitCode === 0,
  };
}

function assume({ cloud }: TaskParts, roleArn: string | undefined, session: string): Principal | undefined {
  if (roleArn === undefined) return undefined;
  try {
    const { accessKeyId } = cloud.issueCredentials(roleArn, 'ecs-tasks.amazonaws.com', session);
    return cloud.principalOf(accessKeyId);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new TaskStartError(
      `ECS was unable to assume the role '${roleArn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`,
    );
  }
}

function checkLogRights(
  { cloud }: TaskParts,
  { job, attempt }: TaskContext,
  execution: Principal | undefined,
): void {
  const group = job.container.logConfiguration?.options['awslogs-group'] ?? '/aws/batch/job';
  const stream = `arn:aws:logs:${cloud.region}:${cloud.accountId}:log-group:${group}:log-stream:`;
  if (!execution) return;
  try {
    cloud.authorize(execution, 'logs:CreateLogStream', stream);
    cloud.authorize(execution, 'logs:PutLogEvents', `${stream}${attempt.logStream}`);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new TaskStartError(
      `CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create Cloudwatch log stream: ${error.code}: ${error.message}`,
    );
  }
}

function readSecret({ cloud }: TaskParts, execution: Principal | undefined, valueFrom: string): string {
  if (!execution) throw new TaskStartError('ResourceInitializationError: secrets require an execution role');
  try {
    return cloud.readSecret(execution, valueFrom);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new TaskStartError(
      `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ${error.code}: ${error.message}`,
    );
  }
}

/** What the container agent adds for the job's role, and the way to this cloud instead of AWS. */
function awsEnvironment({ cloud }: TaskParts, { job, attempt }: TaskContext): Record<string, string> {
  const role = job.container.jobRoleArn;
  return {
    AWS_EXECUTION_ENV: 'AWS_ECS_EC2',
    AWS_ENDPOINT_URL: cloud.endpointUrl,
    ...(role && {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: cloud.credentialsUrl(
        role,
        'ecs-tasks.amazonaws.com',
        attempt.taskId,
      ),
    }),
  };
}

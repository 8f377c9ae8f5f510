/** One attempt of a job: its container from the pull to the end, its log line by line. */
import { EngineError } from '../engine/connection.ts';
import type { ContainerState } from '../engine/engine.ts';
import { AwsError, type Principal } from '../platform.ts';
import { containerName, containerSpec } from './container.ts';
import { type ImageParts, pullImage, TaskStartError } from './image.ts';
import type { Attempt, Job } from './job.ts';
import type { BatchStore } from './store.ts';
import { createTaskLog } from './task-log.ts';

export interface TaskParts extends ImageParts {
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

/** Runs the attempt, or takes up one whose container is already there. Resolves with how it ended. */
export async function runTask(parts: TaskParts, context: TaskContext): Promise<TaskEnd> {
  const { engine } = parts;
  const { attempt } = context;
  const name = containerName(attempt);
  try {
    const existing = await engine.inspect(name);
    if (!existing && attempt.startedAt !== undefined) return hostLost(parts, context);
    const id = existing?.Id ?? (await createContainer(parts, context));
    if (!existing || existing.State.Status === 'created') await startContainer(parts, context, id);
    if (attempt.startedAt === undefined) context.onRunning();
    const end = await follow(parts, context, id);
    await engine.remove(id);
    parts.store.forgetLogPosition(attempt.taskId);
    return end;
  } catch (error) {
    if (context.release.aborted) throw new TaskReleasedError();
    await engine.remove(name).catch(() => undefined); // The engine's failure is reported below; the next start removes what is left.
    if (context.signal.aborted) return { statusReason: taskFailedToStart, succeeded: false };
    if (error instanceof TaskStartError)
      return { reason: error.message, statusReason: taskFailedToStart, succeeded: false };
    if (error instanceof EngineError && isLoss(error)) return hostLost(parts, context);
    throw error;
  }
}

/** The engine is gone (0), or has no such container (404), or is about to have none (409). */
const isLoss = ({ status }: EngineError) => [0, 404, 409].includes(status);

function hostLost({ cloud }: TaskParts, { job, attempt }: TaskContext): TaskEnd {
  cloud.log('batch', `${job.id}: its container is gone from the engine`);
  return {
    statusReason: `Host EC2 (instance i-${attempt.taskId.slice(0, 17)}) terminated.`,
    succeeded: false,
  };
}

async function createContainer(parts: TaskParts, context: TaskContext): Promise<string> {
  const { cloud, engine } = parts;
  const { job, attempt, signal, release } = context;
  const { container } = job;
  const execution = assume(parts, container.executionRoleArn, `batch-${attempt.taskId}`);
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
  return ended ? endOf(ended.State) : hostLost(parts, context);
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
  if (!execution)
    throw new TaskStartError('ResourceInitializationError: an execution role is needed for secrets');
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

/** What Task states do: invoke functions, and run Batch jobs to their end. */
import type { Batch } from '../batch/batch.ts';
import { whenElapsed } from '../deadline.ts';
import type { Cloud, Principal } from '../platform.ts';
import { elapsedMs } from '../steady-time.ts';
import { transaction } from '../transaction.ts';
import { beginningOf, type Call, type JournalEntry } from './journal.ts';
import { toCamelCase, toPascalCase } from './member-names.ts';
import { StateError, serviceError } from './task-error.ts';

export interface TaskParts {
  cloud: Cloud;
  batch: Batch;
  /** The state machine's role. */
  role: Principal;
  /** Aborted when the execution has ended, by whatever means. */
  signal: AbortSignal;
}

/** `arn:aws:states:::lambda:invoke`. */
export async function invokeFunction({ cloud, role }: TaskParts, parameters: unknown): Promise<unknown> {
  const {
    FunctionName,
    Payload = {},
    ...others
  } = parameters as { FunctionName?: unknown; Payload?: unknown };
  if (typeof FunctionName !== 'string' || Object.keys(others).length > 0)
    throw new StateError(
      'States.Runtime',
      `lambda:invoke takes FunctionName and Payload, not ${Object.keys(others).join(', ')}`,
    );
  const arn = FunctionName.startsWith('arn:')
    ? FunctionName
    : `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${FunctionName}`;
  const { payload, functionError } = await invoke().catch((error: unknown) => {
    throw serviceError('Lambda', error);
  });
  if (functionError) {
    const { errorType } = (payload ?? {}) as { errorType?: string };
    throw new StateError(errorType || 'Lambda.Unknown', JSON.stringify(payload));
  }
  return { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200 };

  async function invoke() {
    cloud.authorize(role, 'lambda:InvokeFunction', arn);
    return cloud.invokeFunction(arn, Payload);
  }
}

/** `arn:aws:states:::batch:submitJob.sync`: submits once, whatever happens in between, and waits for the job's end. */
export async function runJob(
  { cloud, batch, role, signal }: TaskParts,
  parameters: unknown,
  entry: JournalEntry,
): Promise<unknown> {
  const { call } = entry;
  if (call.jobId === undefined) submit();
  const jobId = call.jobId ?? '';
  const stop = () => {
    cloud.authorize(
      role,
      'batch:TerminateJob',
      `arn:aws:batch:${cloud.region}:${cloud.accountId}:job/${jobId}`,
    );
    batch.terminate(jobId, 'Step Functions execution was aborted');
  };
  const onAbort = () => {
    try {
      stop();
    } catch (error) {
      // Best effort, as on AWS: without the right to it the job runs on.
      cloud.log('states', `could not stop job ${jobId}, which keeps running: ${(error as Error).message}`);
    }
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const job = await batch.ended(jobId).finally(() => signal.removeEventListener('abort', onAbort));
  const detail = toPascalCase(job);
  if (job.status === 'FAILED') throw new StateError('States.TaskFailed', JSON.stringify(detail));
  return detail;

  function submit(): void {
    try {
      const caller = {
        authorize: (action: string, resource: string, context?: Record<string, string | string[]>) =>
          cloud.authorize(role, action, resource, context),
      };
      transaction(cloud.db, () => {
        call.jobId = batch.submit(caller, toCamelCase(parameters));
        entry.save();
      });
      caller.authorize('batch:DescribeJobs', '*');
    } catch (error) {
      throw serviceError('Batch', error);
    }
  }
}

/** A Wait state: its end is recorded, so a restart doesn't make it longer. Resolves with the state's input. */
export function wait(
  { cloud, signal }: TaskParts,
  parameters: unknown,
  { call, save }: JournalEntry,
): Promise<unknown> {
  const { input, seconds, timestamp } = parameters as {
    input: unknown;
    seconds?: unknown;
    timestamp?: unknown;
  };
  if (call.waitUntil === undefined) {
    call.waitUntil = endOfWait(call, seconds, timestamp);
    save();
  }
  const until = call.waitUntil;
  // Until a time on the wall, or for a duration.
  const leftMs =
    seconds === undefined
      ? () => until - cloud.now().getTime()
      : () => until - call.startedAt - elapsedMs(cloud, beginningOf(call));
  return new Promise((resolve) => {
    const cancel = whenElapsed(leftMs, () => {
      signal.removeEventListener('abort', cancel);
      resolve(input);
    });
    signal.addEventListener('abort', cancel, { once: true });
  });
}

function endOfWait(call: Call, seconds: unknown, timestamp: unknown): number {
  if (seconds !== undefined) {
    if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0)
      throw new StateError(
        'States.Runtime',
        `The seconds of a Wait state must be a whole number of at least 0, not ${JSON.stringify(seconds)}`,
      );
    return call.startedAt + seconds * 1000;
  }
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(time))
    throw new StateError(
      'States.Runtime',
      `The timestamp of a Wait state is not a valid time: ${JSON.stringify(timestamp)}`,
    );
  return time;
}

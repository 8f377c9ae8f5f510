/** Why a job ended, from the words that Batch and its container agent use; and whether that is worth another attempt. */
import type { Job } from '../aws/jobs.ts';
import { type ExperimentReason, experimentReasons, type RetryCause } from '../model/experiment.ts';
import { commandFailure, type Launched } from './command-failure.ts';
import { pullFailure } from './pull-failure.ts';
import type { Attempt, ExperimentRecord, Reason } from './record.ts';
import { engineWords, startFailure } from './start-failure.ts';

/** Our sentence for a code, followed by AWS's own words where there are any. */
export function reasonOf(code: ExperimentReason, ...awsWords: (string | undefined)[]): Reason {
  const words = awsWords.filter((one) => one).join('; ');
  return {
    code,
    message: words ? `${experimentReasons[code]} AWS Batch: ${words}` : experimentReasons[code],
  };
}

/** The reason for which the finished job of an attempt failed; `undefined` when it did not. */
export function failureOf(
  job: Job,
  attempt: Pick<Attempt, 'ending'>,
  launched: Launched,
): Reason | undefined {
  if (job.status === 'SUCCEEDED') return undefined;
  // We ended it ourselves: whatever the container said while dying is a consequence.
  if (attempt.ending) return attempt.ending;
  const status = job.statusReason ?? '';
  const container = job.containerReason ?? '';
  const because = (code: ExperimentReason) => reasonOf(code, status, container);
  if (/^Host EC2/.test(status)) return because('host-lost');
  if (/exceeded timeout/i.test(status)) return plain('timed-out');
  if (/MISCONFIGURATION:/.test(status)) return because('compute-unavailable');
  if (/CAPACITY:/.test(status)) return because('no-capacity');
  if (/^OutOfMemoryError/.test(container)) return plain('out-of-memory');
  if (/^CannotPull/.test(container)) return said(pullFailure(container), container);
  if (/^(CannotStartContainer|CannotCreateContainer|ContainerRuntime|ResourceInitialization)/.test(container))
    return startFailure(container) ?? because('launch-failed');
  if (job.exitCode !== undefined)
    return (
      commandFailure(job.exitCode, job.lastLines ?? [], launched) ?? {
        code: 'exit-code',
        message: `The command ended with exit code ${job.exitCode}.`,
      }
    );
  return because(job.startedAt === undefined ? 'launch-failed' : 'job-lost');
}

const plain = (code: ExperimentReason): Reason => ({ code, message: experimentReasons[code] });

const said = (code: ExperimentReason, container: string): Reason => ({
  code,
  message: `${experimentReasons[code]} The host's container engine said: ${engineWords(container)}`,
});

/** Failures that would only repeat themselves have no cause here. */
const causes: Partial<Record<ExperimentReason, RetryCause>> = {
  'no-capacity': 'no-capacity',
  'queue-timeout': 'no-capacity',
  'host-lost': 'host-lost',
  'exit-code': 'error',
  'out-of-memory': 'error',
  'image-pull-failed': 'error',
  'launch-failed': 'error',
};

/**
 * The queue for another attempt after the last one has failed; `undefined` when there is to be none. A lost host or
 * missing capacity moves on to the compute's next queue, and the last attempt is made on its last one: a retry into
 * the same hole is none. `queues` are the compute's, in order.
 */
export function nextQueue(
  { attempts, retry }: Pick<ExperimentRecord, 'attempts' | 'retry'>,
  queues: readonly string[],
): string | undefined {
  const last = attempts.at(-1);
  const cause = last?.reason && causes[last.reason.code];
  if (!last || !cause || !retry.on.includes(cause) || attempts.length >= retry.attempts) return undefined;
  if (cause === 'error') return last.queue;
  const isLastAttempt = attempts.length + 1 === retry.attempts;
  return isLastAttempt ? queues.at(-1) : (queues[queues.indexOf(last.queue) + 1] ?? queues.at(-1));
}

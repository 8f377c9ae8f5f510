/** Why a job ended, from the words that Batch and its container agent use; and whether that is worth another attempt. */
import type { Job } from '../aws/jobs.ts';
import { type ExperimentReason, experimentReasons, type RetryCause } from '../model/experiment.ts';
import type { Attempt, ExperimentRecord, Reason } from './record.ts';

/** Our sentence for a code, followed by AWS's own words where there are any. */
export function reasonOf(code: ExperimentReason, ...awsWords: (string | undefined)[]): Reason {
  const words = awsWords.filter((one) => one).join('; ');
  return {
    code,
    message: words ? `${experimentReasons[code]} AWS Batch: ${words}` : experimentReasons[code],
  };
}

/** The reason for which a finished job failed; `undefined` when it did not. */
export function failureOf(job: Job, attempt: Pick<Attempt, 'ending'>): Reason | undefined {
  if (job.status === 'SUCCEEDED') return undefined;
  // We ended it ourselves: whatever the container said while dying is a consequence.
  if (attempt.ending) return attempt.ending;
  const status = job.statusReason ?? '';
  const container = job.containerReason ?? '';
  const because = (code: ExperimentReason) => reasonOf(code, status, container);
  if (/^Host EC2/.test(status)) return because('host-lost');
  if (/exceeded timeout/i.test(status)) return because('timed-out');
  if (/MISCONFIGURATION:/.test(status)) return because('compute-unavailable');
  if (/CAPACITY:/.test(status)) return because('no-capacity');
  if (/^OutOfMemoryError/.test(container)) return because('out-of-memory');
  if (/^CannotPull/.test(container)) return because(pullFailure(container));
  if (/^(CannotStartContainer|CannotCreateContainer|ContainerRuntime|ResourceInitialization)/.test(container))
    return because(startFailure(container));
  if (job.exitCode === 127) return because('command-not-found');
  if (job.exitCode === 126) return because('command-not-executable');
  if (job.exitCode !== undefined)
    return { ...because('exit-code'), message: `The command ended with exit code ${job.exitCode}.` };
  return because(job.startedAt === undefined ? 'launch-failed' : 'job-lost');
}

function pullFailure(words: string): ExperimentReason {
  if (/not found|manifest unknown|does not exist/i.test(words)) return 'image-not-found';
  if (/unauthori[sz]ed|not authori[sz]ed|denied|authentication|no basic auth/i.test(words))
    return 'image-unauthorized';
  return 'image-pull-failed';
}

function startFailure(words: string): ExperimentReason {
  const missing = /no such file or directory|executable file not found/i.test(words);
  if (missing) return /["\s]\/bin\/sh["\s:]/.test(words) ? 'image-without-shell' : 'command-not-found';
  if (/permission denied/i.test(words)) return 'command-not-executable';
  return 'launch-failed';
}

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

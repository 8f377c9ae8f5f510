/** What follows when an attempt has ended, will not begin, or should not go on. */
import type { Circumstances, Move, Step } from './change.ts';
import { type Attempt, type ExperimentRecord, isOver, openAttempt, type Reason } from './record.ts';
import { nextQueue } from './verdict.ts';

/** Ends the open attempt without any report of its job: there never was one, or nothing is known of it any more. */
export const abandoned =
  (reason: Reason): Step =>
  (record, { now }) => {
    const attempt = openAttempt(record);
    if (isOver(record) || !attempt) return undefined;
    const time = now.toISOString();
    const ended: Attempt = { ...attempt, stage: 'ended', finishedAt: time, reason: attempt.ending ?? reason };
    return {
      set: { attempts: record.attempts.with(-1, ended) },
      entries: [
        {
          time,
          code: 'job-ended',
          message: reason.message,
          detail: { attempt: attempt.number, reason: reason.code },
        },
      ],
    };
  };

/** Notes that Slipway itself is about to end the open attempt's job, and why. */
export const ending =
  (reason: Reason): Step =>
  (record, { now }) => {
    const attempt = openAttempt(record);
    if (isOver(record) || !attempt || attempt.ending) return undefined;
    return {
      set: { attempts: record.attempts.with(-1, { ...attempt, ending: reason }) },
      entries: [
        {
          time: now.toISOString(),
          code: 'ending',
          message: reason.message,
          detail: { attempt: attempt.number, reason: reason.code },
        },
      ],
    };
  };

/** The job that should not run any more, if there is one. */
export function jobToEnd(record: ExperimentRecord): { id: string; reason: string } | undefined {
  const attempt = openAttempt(record);
  if (!attempt?.jobId) return undefined;
  if (record.stopRequestedAt) return { id: attempt.jobId, reason: 'Stopped on request' };
  return attempt.ending && { id: attempt.jobId, reason: attempt.ending.message };
}

/** Nobody is left who could submit another attempt. */
export const executionEnded: Step = (record, { now }) =>
  isOver(record) || record.executionEndedAt
    ? undefined
    : { set: { executionEndedAt: now.toISOString() }, entries: [] };

/**
 * What follows when the last attempt has ended: the final state, or another attempt. Only the execution can submit
 * one (`submits`); anybody else leaves that to it.
 */
export const concluded =
  (queues: readonly string[], submits: boolean): Step =>
  (record, circumstances) => {
    const last = record.attempts.at(-1);
    if (isOver(record) || !last || last.stage !== 'ended') return undefined;
    if (!last.reason) return finish(record, circumstances, 'succeeded', undefined);
    if (record.stopRequestedAt)
      return finish(record, circumstances, 'stopped', {
        code: 'stopped-by-user',
        message: 'Stopped on request.',
      });
    const queue = record.executionEndedAt ? undefined : nextQueue(record, queues);
    if (queue === undefined) return finish(record, circumstances, 'failed', last.reason);
    if (submits) return opened(queue)(record, circumstances);
    return record.status === 'pending' ? undefined : { set: { status: 'pending' }, entries: [] };
  };

/** A new attempt, about to be submitted to `queue`. */
export const opened =
  (queue: string): Step =>
  (record, { now }) => {
    const number = record.attempts.length + 1;
    const time = now.toISOString();
    return {
      set: {
        status: 'pending',
        statusReason: undefined,
        attempts: [...record.attempts, { number, queue, stage: 'submitting', createdAt: time }],
      },
      entries: [
        {
          time,
          code: number === 1 ? 'submitting' : 'retrying',
          message: `Attempt ${number} uses queue ${queue}.`,
          detail: { attempt: number, queue },
        },
      ],
    };
  };

/** Ends an experiment whose job never came to be. */
export const failed =
  (reason: Reason): Step =>
  (record, circumstances) => {
    if (isOver(record)) return undefined;
    return record.stopRequestedAt
      ? finish(record, circumstances, 'stopped', {
          code: 'stopped-by-user',
          message: 'Stopped on request.',
        })
      : finish(record, circumstances, 'failed', reason);
  };

export function finish(
  record: ExperimentRecord,
  { now }: Circumstances,
  status: 'succeeded' | 'failed' | 'stopped',
  reason: Reason | undefined,
): Move {
  const last = record.attempts.at(-1);
  const message = reason?.message ?? 'The command ended with exit code 0.';
  return {
    set: {
      status,
      statusReason: reason,
      exitCode: last?.exitCode,
      finishedAt: last?.finishedAt ?? now.toISOString(),
    },
    entries: [
      {
        time: now.toISOString(),
        code: status,
        message,
        ...(reason ? { detail: { reason: reason.code } } : {}),
      },
    ],
  };
}

/**
 * How an experiment moves, as pure decisions on its record. Reports of a job may come twice, late, out of order or
 * never: whatever their order, the same set of reports leads to the same final state.
 */
import type { Job, JobStatus } from '../aws/jobs.ts';
import { type ExperimentStatus, mayFollow } from '../model/states.ts';
import type { Change, NewEvent } from '../store/advance.ts';
import {
  type Attempt,
  type ExperimentRecord,
  isOver,
  openAttempt,
  type Reason,
  statusFields,
  timed,
} from './record.ts';
import { failureOf, nextQueue, reasonOf } from './verdict.ts';

export type Entry = Pick<NewEvent, 'time' | 'code' | 'message' | 'detail'>;

/** One step: fields to set and what the timeline says of it. */
export interface Move {
  set: Partial<ExperimentRecord>;
  entries: Entry[];
}

/** What decisions depend on besides the record. */
export interface Circumstances {
  organisation: string;
  now: Date;
  /** Longest time that a job may wait for a host. */
  queueTimeoutSeconds: number;
}

export type Step = (record: ExperimentRecord, circumstances: Circumstances) => Move | undefined;

/** The steps one after the other, each on the outcome of the ones before, as one change; nothing if none moves. */
export function changeOf(
  record: ExperimentRecord,
  circumstances: Circumstances,
  ...steps: Step[]
): Change<ExperimentRecord> | undefined {
  let current = record;
  const set: Partial<ExperimentRecord> = {};
  const entries: Entry[] = [];
  let moved = false;
  for (const step of steps) {
    const move = step(current, circumstances);
    if (!move) continue;
    moved = true;
    Object.assign(set, move.set);
    entries.push(...move.entries);
    current = { ...current, ...move.set };
  }
  if (!moved) return undefined;
  if (current.status !== record.status && !mayFollow('experiment', record.status, current.status))
    throw new Error(`an experiment that is ${record.status} never becomes ${current.status}`);
  const { events, lastEventAt } = timed(record.lastEventAt, entries);
  const { organisation, now } = circumstances;
  return {
    set: {
      ...set,
      ...statusFields(organisation, current, dueAt(current, circumstances)),
      updatedAt: now.toISOString(),
      lastEventAt,
    },
    events,
  };
}

/** When the reconciler should ask, if nothing is heard until then. */
export function dueAt(record: ExperimentRecord, { now, queueTimeoutSeconds }: Circumstances): Date {
  const attempt = openAttempt(record);
  const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  // Its last lines may be on their way to the log still.
  if (isOver(record)) return inSeconds(8);
  if (record.stopRequestedAt || attempt?.ending) return inSeconds(10);
  if (attempt?.stage === 'queued') {
    const patienceEnds = Date.parse(attempt.createdAt) + queueTimeoutSeconds * 1000;
    return new Date(Math.min(inSeconds(60).getTime(), Math.max(patienceEnds, now.getTime())));
  }
  if (attempt?.stage === 'provisioning') return inSeconds(120);
  if (attempt?.stage === 'running') {
    const timeOut = Date.parse(attempt.startedAt ?? attempt.createdAt) + (record.timeoutSeconds + 30) * 1000;
    return new Date(Math.min(inSeconds(300).getTime(), Math.max(timeOut, now.getTime())));
  }
  return inSeconds(30);
}

/** Name of the job of one attempt: what ties a report to its experiment. */
export const jobName = (experimentId: string, attempt: number) => `${experimentId}-${attempt}`;

/** The attempt that a report speaks of. */
function attemptOf(record: ExperimentRecord, job: Job): Attempt | undefined {
  return record.attempts.find(({ number }) => jobName(record.id, number) === job.name);
}

/** A second job for one attempt, as a submit that was retried after an unclear answer leaves behind. */
export function isSurplus(record: ExperimentRecord, job: Job): boolean {
  const attempt = attemptOf(record, job);
  return attempt?.jobId !== undefined && attempt.jobId !== job.id;
}

const stages: Record<JobStatus, Attempt['stage']> = {
  SUBMITTED: 'queued',
  PENDING: 'queued',
  RUNNABLE: 'queued',
  STARTING: 'provisioning',
  RUNNING: 'running',
  SUCCEEDED: 'ended',
  FAILED: 'ended',
};
const order: Attempt['stage'][] = ['submitting', 'queued', 'provisioning', 'running', 'ended'];
const statusOf: Record<Exclude<Attempt['stage'], 'ended'>, ExperimentStatus> = {
  submitting: 'pending',
  queued: 'pending',
  provisioning: 'provisioning',
  running: 'running',
};

/** Takes in a report of a job. */
export const observed =
  (job: Job): Step =>
  (record, { now }) => {
    const attempt = attemptOf(record, job);
    if (isOver(record) || !attempt || attempt.stage === 'ended' || isSurplus(record, job)) return undefined;
    const stage = stages[job.status];
    const steps = order.indexOf(stage) - order.indexOf(attempt.stage);
    if (steps < 0) return undefined;
    const blocked = stage === 'queued' ? (job.statusReason ?? attempt.blocked) : undefined;
    const tellsOfLog = job.logStream !== undefined && attempt.logStream === undefined;
    if (steps === 0 && blocked === attempt.blocked && !tellsOfLog) return undefined;
    const next: Attempt = {
      ...attempt,
      jobId: job.id,
      stage,
      startedAt: attempt.startedAt ?? iso(job.startedAt),
      logStream: attempt.logStream ?? job.logStream,
      blocked,
      ...(blocked && /^MISCONFIGURATION:/.test(blocked) && !attempt.ending
        ? { ending: reasonOf('compute-unavailable', blocked) }
        : {}),
    };
    if (stage === 'ended') {
      next.finishedAt = iso(job.stoppedAt) ?? now.toISOString();
      next.exitCode = job.exitCode;
      next.reason = failureOf(job, attempt);
    }
    return {
      set: {
        attempts: record.attempts.with(attempt.number - 1, next),
        startedAt: record.startedAt ?? next.startedAt,
        statusReason: blocked ? { code: 'blocked', message: blocked } : undefined,
        ...(stage === 'ended' ? {} : { status: statusOf[stage] }),
      },
      entries: entriesOf(attempt, next, job, now),
    };
  };

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

/** What is new in an attempt, in the order in which it happened, whichever report told of it. */
function entriesOf(before: Attempt, after: Attempt, job: Job, now: Date): Entry[] {
  const { jobId, queue, number } = after;
  const entries: Entry[] = [];
  const time = now.toISOString();
  if (before.stage === 'submitting')
    entries.push({
      time: iso(job.createdAt) ?? time,
      code: 'queued',
      message: `Waiting for a host in queue ${queue}.`,
      detail: { attempt: number, jobId, queue },
    });
  if (after.blocked && after.blocked !== before.blocked)
    entries.push({ time, code: 'blocked', message: after.blocked, detail: { attempt: number } });
  if (after.ending && !before.ending)
    entries.push({
      time,
      code: 'ending',
      message: after.ending.message,
      detail: { reason: after.ending.code },
    });
  if (after.stage === 'provisioning' && before.stage !== 'provisioning')
    entries.push({
      time,
      code: 'provisioning',
      message: 'A host was found; it pulls the image.',
      detail: { attempt: number },
    });
  if (after.startedAt && !before.startedAt)
    entries.push({
      time: after.startedAt,
      code: 'running',
      message: 'The container started.',
      detail: { attempt: number, logStream: after.logStream },
    });
  if (after.stage === 'ended')
    entries.push({
      time: after.finishedAt ?? time,
      code: 'job-ended',
      message: after.reason?.message ?? 'The command ended with exit code 0.',
      detail: { attempt: number, exitCode: after.exitCode, reason: after.reason?.code },
    });
  return entries;
}

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
  if (record.stopRequestedAt) return { id: attempt.jobId, reason: 'Stopped by its user' };
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
        message: 'Stopped as it was asked.',
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
          message: `Attempt ${number} goes to queue ${queue}.`,
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
          message: 'Stopped as it was asked.',
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

/**
 * Taking in what Batch says of a job. Reports may come twice, late, out of order or never: whatever their order, the
 * same set of reports leads to the same final state, since the stages of an attempt only go forward.
 */
import type { Job, JobStatus } from '../aws/jobs.ts';
import type { ExperimentStatus } from '../model/states.ts';
import type { Entry, Step } from './change.ts';
import { type Attempt, type ExperimentRecord, isOver } from './record.ts';
import { failureOf, reasonOf } from './verdict.ts';

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
      next.reason = failureOf(job, attempt, record);
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
      message: 'A host is pulling the image.',
      detail: { attempt: number },
    });
  if (after.startedAt && !before.startedAt)
    entries.push({
      time: after.startedAt,
      code: 'running',
      message: 'The container has started.',
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

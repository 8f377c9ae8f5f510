import type { Executions } from '../../shared/aws/executions.ts';
import type { JobLog } from '../../shared/aws/job-log.ts';
import type { Job, Jobs } from '../../shared/aws/jobs.ts';
import { settleAwaiting } from '../../shared/experiment/await-build.ts';
import { changeOf, dueAt, type Step } from '../../shared/experiment/change.ts';
import {
  abandoned,
  concluded,
  ending,
  executionEnded,
  failed,
  jobToEnd,
} from '../../shared/experiment/conclusion.ts';
import { explained } from '../../shared/experiment/explain.ts';
import { findJob } from '../../shared/experiment/find-job.ts';
import { createHostsInUse } from '../../shared/experiment/hosts-in-use.ts';
import { logJobOf } from '../../shared/experiment/log-job.ts';
import {
  type Attempt,
  type ExperimentRecord,
  isOver,
  openAttempt,
  waitsForBuild,
} from '../../shared/experiment/record.ts';
import { observed } from '../../shared/experiment/report.ts';
import { findRunCompute } from '../../shared/experiment/run-compute.ts';
import { turnSeen } from '../../shared/experiment/turn.ts';
import { reasonOf } from '../../shared/experiment/verdict.ts';
import type { Logs } from '../../shared/log/log.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { advance } from '../../shared/store/advance.ts';
import { ConditionFailedError, type Table } from '../../shared/store/table.ts';
import type { Reconcile } from './reconcile.ts';

export interface ExperimentReconcilerDependencies {
  table: Table;
  stage: Stage;
  jobs: Jobs;
  jobLog: JobLog;
  executions: Executions;
  logs: Pick<Logs, 'drain'>;
  /** Of all jobs. */
  logGroup: string;
  now: () => Date;
}

/** How long an execution that is gone may leave its experiment without a job that Batch knows. */
const patienceSeconds = 120;

/**
 * Compares an experiment that is due with what Batch and Step Functions know, and finishes what nobody else will:
 * one that was never started, whose build has ended, whose events were lost, whose execution died, that waits for a host for too long,
 * whose stop died on its way, or whose log is not kept to its end.
 */
export function createExperimentReconciler(dependencies: ExperimentReconcilerDependencies): Reconcile {
  const { table, stage, jobs, executions, now } = dependencies;
  const hostsInUse = createHostsInUse(stage, jobs, now);
  return async (organisation, id) => {
    const record = await settleAwaiting(dependencies, organisation, id);
    if (!record || record.status === 'created') return;
    if (isOver(record)) return keepLog(dependencies, organisation, record);
    const circumstances = { organisation, now: now(), queueTimeoutSeconds: stage.queueTimeoutSeconds };
    if (waitsForBuild(record)) return lookAgain(table, record, dueAt(record, circumstances));
    const attempt = openAttempt(record);
    const found = attempt && (await findJob(dependencies, organisation, record.id, attempt));
    const job = found && (await explained(found, dependencies.jobLog));
    const inUse =
      attempt && job?.status === 'RUNNABLE' ? await hostsInUse(organisation, attempt.queue) : undefined;
    // A job that is alive says all there is to know; its end will be heard of, or found here.
    const execution = job ? 'running' : await executions.state(id);
    if (execution === 'absent' && record.attempts.length === 0) await executions.start(organisation, id);
    const isOrphan = execution === 'ended' || (execution === 'absent' && record.attempts.length > 0);
    const queues = findRunCompute(stage, record.compute)?.queues ?? [];
    const moved = await advance<ExperimentRecord>(
      table,
      { organisation, collection: 'experiments', id },
      (current) =>
        changeOf(
          current,
          circumstances,
          ...(job ? [observed(job)] : []),
          ...(job && inUse ? [turnSeen(inUse), waitedTooLong(job)] : []),
          ...(attempt?.jobId !== undefined && !job ? [forgotten(attempt)] : []),
          ...(isOrphan ? [executionEnded, withoutExecution(attempt)] : []),
          concluded(queues, false),
        ),
    );
    if (!moved) return;
    const unwanted = jobToEnd(moved.record);
    if (unwanted) await jobs.terminate(unwanted.id, unwanted.reason);
    if (!moved.moved) await lookAgain(table, moved.record, dueAt(moved.record, circumstances));
  };
}

/**
 * None of Batch's own reasons tells of an instance quota of 0: what waits for too long while nothing runs on the hosts
 * that it could run on ends. Behind other jobs it may wait as long as they run.
 */
const waitedTooLong =
  (job: Job): Step =>
  (record, circumstances) => {
    const attempt = openAttempt(record);
    if (attempt?.stage !== 'queued' || attempt.waitsFor !== undefined) return undefined;
    const since = attempt.hostsFreeSince === undefined ? job.createdAt : Date.parse(attempt.hostsFreeSince);
    const waitedMs = circumstances.now.getTime() - (since ?? Date.parse(attempt.createdAt));
    if (waitedMs < circumstances.queueTimeoutSeconds * 1000) return undefined;
    return ending(reasonOf('queue-timeout', attempt.blocked))(record, circumstances);
  };

/** Batch keeps jobs for seven days. `seen` is the attempt that was asked about. */
const forgotten =
  (seen: Attempt): Step =>
  (record, circumstances) =>
    openAttempt(record)?.number === seen.number
      ? abandoned(reasonOf('job-lost'))(record, circumstances)
      : undefined;

/**
 * The execution is over and no job is known: what a call of the launcher may still be writing gets some time, and
 * then there is nothing to wait for. `seen` is the attempt that was asked about.
 */
const withoutExecution =
  (seen: Attempt | undefined): Step =>
  (record, circumstances) => {
    const endedAt = Date.parse(record.executionEndedAt ?? circumstances.now.toISOString());
    if (circumstances.now.getTime() - endedAt < patienceSeconds * 1000) return undefined;
    const attempt = openAttempt(record);
    if (attempt)
      return attempt.number === seen?.number
        ? abandoned(reasonOf('job-lost'))(record, circumstances)
        : undefined;
    return record.attempts.length > 0 ? undefined : failed(reasonOf('launch-failed'))(record, circumstances);
  };

/** How long a log that can't be read to its end keeps the reconciler busy. */
const logPatienceSeconds = 3600;

/** The end of an experiment's log is read once no more lines can come, so that all of it outlives CloudWatch's retention. */
async function keepLog(
  { table, logs, logGroup, now }: ExperimentReconcilerDependencies,
  organisation: string,
  record: ExperimentRecord,
): Promise<void> {
  const endedMs = now().getTime() - Date.parse(record.finishedAt ?? record.updatedAt);
  const givesUp = endedMs > logPatienceSeconds * 1000;
  const isKept = await logs.drain(logJobOf(organisation, logGroup, record)).catch((error: unknown) => {
    if (!givesUp) throw error;
    return false;
  });
  await lookAgain(table, record, isKept || givesUp ? undefined : new Date(now().getTime() + 30_000));
}

/**
 * Nothing is new: others get their turn before the next look, or there is to be none. It is no change of the
 * experiment, so its ETag stays.
 */
async function lookAgain(table: Table, record: ExperimentRecord, at: Date | undefined): Promise<void> {
  if (record.dueAt === undefined) return;
  try {
    await table.transact([
      {
        Update: {
          TableName: table.name,
          Key: { pk: record.pk, sk: record.sk },
          UpdateExpression: at ? 'SET dueAt = :later' : 'REMOVE dueAt, openKey',
          ConditionExpression: 'dueAt = :seen',
          ExpressionAttributeValues: {
            ':seen': record.dueAt,
            ...(at ? { ':later': at.toISOString() } : {}),
          },
        },
      },
    ]);
  } catch (error) {
    // It moved meanwhile, so it is due at another time anyway.
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}

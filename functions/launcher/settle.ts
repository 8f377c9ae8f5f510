import type { JobLog } from '../../shared/aws/job-log.ts';
import type { Job, Jobs } from '../../shared/aws/jobs.ts';
import { changeOf, type Step } from '../../shared/experiment/change.ts';
import { abandoned, concluded, executionEnded, failed } from '../../shared/experiment/conclusion.ts';
import { explained } from '../../shared/experiment/explain.ts';
import { findJob } from '../../shared/experiment/find-job.ts';
import { type ExperimentRecord, isOver, openAttempt } from '../../shared/experiment/record.ts';
import { isSurplus, observed } from '../../shared/experiment/report.ts';
import { findRunCompute } from '../../shared/experiment/run-compute.ts';
import { reasonOf } from '../../shared/experiment/verdict.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { advance } from '../../shared/store/advance.ts';
import type { Table } from '../../shared/store/table.ts';
import { caughtFailure } from './failure.ts';
import { end, type Next, submissionOf } from './submission.ts';

export interface SettleDependencies {
  table: Table;
  stage: Stage;
  jobs: Jobs;
  jobLog: JobLog;
  apiUrl: string;
  now: () => Date;
}

export interface SettleRequest {
  organisation: string;
  experimentId: string;
  /** What `batch:submitJob.sync` answered. */
  job?: unknown;
  /** What the state machine caught; of a failed job, `Cause` is the job as JSON. */
  error?: { Error?: string; Cause?: string };
}

/**
 * Decides what follows an attempt. The job's end is read from Batch itself, not from what the state machine passes.
 * Asked twice, it answers the same.
 */
export async function settle(dependencies: SettleDependencies, request: SettleRequest): Promise<Next> {
  const { table, stage, jobs, jobLog, apiUrl, now } = dependencies;
  const { organisation, experimentId: id } = request;
  const jobId = jobIdOf(request);
  const [found] =
    jobId === undefined ? [await failedJob(dependencies, request)] : await jobs.describe([jobId]);
  const job = found && (await explained(found, jobLog));
  const moved = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) =>
      changeOf(
        current,
        { organisation, now: now(), queueTimeoutSeconds: stage.queueTimeoutSeconds },
        ...outcome(current, request, jobId, job),
        concluded(findRunCompute(stage, current.compute)?.queues ?? [], true),
      ),
  );
  if (!moved || isOver(moved.record)) return end;
  const attempt = openAttempt(moved.record);
  const compute = findRunCompute(stage, moved.record.compute);
  if (attempt?.stage !== 'submitting' || !compute) return end;
  return submissionOf(moved.record, attempt, { stage: stage.stage, organisation, compute, apiUrl });
}

/** What the end of the attempt means for the record. */
function outcome(
  record: ExperimentRecord,
  { error }: SettleRequest,
  jobId: string | undefined,
  job: Job | undefined,
): Step[] {
  if (job) {
    const isEnded = job.status === 'SUCCEEDED' || job.status === 'FAILED';
    // The execution goes no further, but a job is alive: its own events, or the reconciler, will end the experiment.
    if (!isEnded || (isSurplus(record, job) && openAttempt(record))) return [observed(job), executionEnded];
    return [observed(job)];
  }
  if (jobId !== undefined) return [abandoned(reasonOf('job-lost'))];
  const reason = caughtFailure(error ?? {});
  return record.attempts.length === 0 ? [failed(reason)] : [abandoned(reason)];
}

/** The id of the job, in the spelling of the service integration or of Batch itself. */
function jobIdOf({ job, error }: SettleRequest): string | undefined {
  return idIn(job) ?? idIn(parsed(error?.Cause));
}

function idIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { JobId, jobId } = value as { JobId?: unknown; jobId?: unknown };
  const id = JobId ?? jobId;
  return typeof id === 'string' ? id : undefined;
}

function parsed(cause: string | undefined): unknown {
  if (!cause?.startsWith('{')) return undefined;
  try {
    return JSON.parse(cause);
  } catch {
    // A Cause ends at 32 KiB, wherever that is: see `failedJob`.
    return undefined;
  }
}

/**
 * The job of a Cause that was cut off: members come in the order of their names, so the id comes after the container's
 * command and environment, which are the user's and may fill it.
 */
async function failedJob(
  dependencies: SettleDependencies,
  { organisation, experimentId, error }: SettleRequest,
): Promise<Job | undefined> {
  if (error?.Error !== 'States.TaskFailed') return undefined;
  const { table } = dependencies;
  const record = (await table.get(organisation, 'experiments', experimentId)) as ExperimentRecord | undefined;
  const attempt = record && openAttempt(record);
  return attempt && (await findJob(dependencies, organisation, experimentId, attempt));
}

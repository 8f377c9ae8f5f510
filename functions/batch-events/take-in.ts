import type { JobLog } from '../../shared/aws/job-log.ts';
import { type Job, type JobReport, type Jobs, jobOf } from '../../shared/aws/jobs.ts';
import { changeOf } from '../../shared/experiment/change.ts';
import { concluded, jobToEnd } from '../../shared/experiment/conclusion.ts';
import { explained } from '../../shared/experiment/explain.ts';
import { jobQueueName } from '../../shared/experiment/find-job.ts';
import { type ExperimentRecord, isOver } from '../../shared/experiment/record.ts';
import { isSurplus, observed } from '../../shared/experiment/report.ts';
import { findRunCompute } from '../../shared/experiment/run-compute.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { advance } from '../../shared/store/advance.ts';
import type { Table } from '../../shared/store/table.ts';

export interface BatchEventsDependencies {
  table: Table;
  stage: Stage;
  jobs: Jobs;
  jobLog: JobLog;
  now: () => Date;
  log: { warn(message: string, fields: Record<string, unknown>): void };
}

/**
 * Takes in what Batch says of a job: its state, or why it blocks its queue. Events come twice, late and in any order;
 * the outcome is the same. Jobs that aren't Slipway's are passed over.
 */
export async function takeIn(dependencies: BatchEventsDependencies, report: JobReport): Promise<void> {
  const { table, stage, jobs, jobLog, now, log } = dependencies;
  const reported = jobOf(report);
  const owner = reported && ownerOf(reported, stage);
  if (!owner) return;
  const job = await explained(reported, jobLog);
  const { organisation, experimentId: id } = owner;
  const moved = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) =>
      changeOf(
        current,
        { organisation, now: now(), queueTimeoutSeconds: stage.queueTimeoutSeconds },
        observed(job),
        // Another attempt is submitted by the execution, which hears of the same end.
        concluded(findRunCompute(stage, current.compute)?.queues ?? [], false),
      ),
  );
  if (!moved) {
    log.warn('job of an unknown experiment', { organisation, id, jobId: job.id });
    // Its record was deleted while the job, a surplus one, was still alive: nobody else would ever end it.
    if (!isEnded(job)) await jobs.terminate(job.id, 'Its experiment is gone');
    return;
  }
  const { record } = moved;
  if (!isEnded(job)) await endUnwanted(jobs, record, job);
}

const isEnded = (job: Job) => job.status === 'SUCCEEDED' || job.status === 'FAILED';

async function endUnwanted(jobs: Jobs, record: ExperimentRecord, job: Job): Promise<void> {
  if (isSurplus(record, job) || isOver(record)) {
    await jobs.terminate(job.id, 'Not the job of its experiment');
    return;
  }
  const unwanted = jobToEnd(record);
  if (unwanted) await jobs.terminate(unwanted.id, unwanted.reason);
}

/** By the job's queue and name, which only Slipway's own submissions can have. */
function ownerOf(job: Job, stage: Stage): { organisation: string; experimentId: string } | undefined {
  const experimentId = /^(exp_[0-9a-z]+)-\d+$/.exec(job.name)?.[1];
  const organisation = stage.organisations.find(({ id }) =>
    stage.queues.some((queue) => job.queue === jobQueueName(stage.stage, id, queue.name)),
  )?.id;
  return experimentId && organisation ? { organisation, experimentId } : undefined;
}

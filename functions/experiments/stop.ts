import type { Jobs } from '../../shared/aws/jobs.ts';
import { changeOf, type Step } from '../../shared/experiment/change.ts';
import { finish, jobToEnd } from '../../shared/experiment/conclusion.ts';
import { type ExperimentRecord, isOver, openAttempt } from '../../shared/experiment/record.ts';
import { notFound } from '../../shared/http/problem.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { advance } from '../../shared/store/advance.ts';
import type { Table } from '../../shared/store/table.ts';
import type { StartRequest } from './start.ts';

export interface StopDependencies {
  table: Table;
  stage: Stage;
  jobs: Jobs;
}

/**
 * Stops an experiment at any stage. Without a job it is stopped at once, and whoever was preparing one finds that
 * when it wants to submit it. With a job the stop is asked for, and confirmed by the job's end. A job that nobody
 * has heard of yet is ended by its first event.
 */
export async function stopExperiment(
  { table, stage, jobs }: StopDependencies,
  { organisation, id, by, now }: StartRequest,
): Promise<ExperimentRecord> {
  const circumstances = { organisation, now, queueTimeoutSeconds: stage.queueTimeoutSeconds };
  const moved = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) => changeOf(current, circumstances, stopRequested(by), stoppedWithoutJob),
  );
  if (!moved) throw notFound('experiment');
  const job = isOver(moved.record) ? undefined : jobToEnd(moved.record);
  // Asked for again at every call: the request before may have died on its way.
  if (job) await jobs.terminate(job.id, job.reason);
  return moved.record;
}

const stopRequested =
  (by: string): Step =>
  (record, { now }) =>
    isOver(record) || record.stopRequestedAt
      ? undefined
      : {
          set: { stopRequestedAt: now.toISOString() },
          entries: [
            {
              time: now.toISOString(),
              code: 'stop-requested',
              message: `${by} asked to stop the experiment.`,
            },
          ],
        };

const stoppedWithoutJob: Step = (record, circumstances) =>
  isOver(record) || openAttempt(record)
    ? undefined
    : finish(record, circumstances, 'stopped', {
        code: 'stopped-by-user',
        message: 'Stopped before its job was submitted.',
      });

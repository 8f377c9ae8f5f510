/** The Batch job of an attempt, and the queue that it is in. */
import type { Job, Jobs } from '../aws/jobs.ts';
import type { Stage } from '../model/stage.ts';
import type { Attempt } from './record.ts';
import { jobName } from './report.ts';

/** Name of an organisation's Batch queue; `queue` is as in the stage configuration. */
export const jobQueueName = (stage: string, organisation: string, queue: string) =>
  `slipway-${stage}-${organisation}-${queue}`;

/** By its id, or by its name while nobody has told the id. */
export async function findJob(
  { stage, jobs }: { stage: Pick<Stage, 'stage'>; jobs: Jobs },
  organisation: string,
  experimentId: string,
  { jobId, queue, number }: Attempt,
): Promise<Job | undefined> {
  if (jobId !== undefined) return (await jobs.describe([jobId]))[0];
  return jobs.findByName(jobQueueName(stage.stage, organisation, queue), jobName(experimentId, number));
}

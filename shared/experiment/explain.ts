import { setTimeout as sleep } from 'node:timers/promises';
import type { JobLog } from '../aws/job-log.ts';
import type { Job } from '../aws/jobs.ts';
import { isUnclear } from './command-failure.ts';

const looks = 10;
const pauseMs = 300;

/**
 * The job with what only its log tells: which program could not be run, and why. Lines may arrive a moment after the end;
 * of a job that may have nothing to say less time is spent on it.
 */
export async function explained(job: Job, log: JobLog): Promise<Job> {
  const { exitCode, logStream, startedAt, stoppedAt } = job;
  const ranMs = (stoppedAt ?? 0) - (startedAt ?? 0);
  if (job.status !== 'FAILED' || job.containerReason || !logStream || !isUnclear(exitCode, ranMs)) return job;
  for (let look = exitCode === 126 || exitCode === 127 ? 1 : looks - 2; ; look++) {
    const lastLines = await log.lastLines(logStream);
    if (lastLines.length > 0 || look === looks) return { ...job, lastLines };
    await sleep(pauseMs);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { JobLog } from '../aws/job-log.ts';
import type { Job } from '../aws/jobs.ts';

const looks = 10;
const pauseMs = 300;

/**
 * The job with what only its log tells. The container's init process ends with 127 both where the image has no shell
 * and where the shell finds no such command; its own line is what tells them apart. Lines may arrive a moment after
 * the end.
 */
export async function explained(job: Job, log: JobLog): Promise<Job> {
  if (job.status !== 'FAILED' || job.exitCode !== 127 || job.containerReason || !job.logStream) return job;
  for (let look = 1; look <= looks; look++) {
    const lines = await log.firstLines(job.logStream);
    const refused = lines.find((line) => /exec \/bin\/sh failed: No such file/.test(line));
    if (refused !== undefined) return { ...job, containerReason: `CannotStartContainerError: ${refused}` };
    if (lines.length > 0) break;
    await sleep(pauseMs);
  }
  return job;
}

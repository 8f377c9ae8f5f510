/** Whose turn it is in a queue. */
import type { JobQueue, SchedulingPolicy } from './declared.ts';
import type { Job } from './job.ts';

/** The vCPUs that a share's placed jobs hold. */
export type ShareUsage = (shareIdentifier: string) => number;

/**
 * The job at the head of the queue: without a policy the oldest; with one, of the share that has least for its weight
 * the job of the highest priority, then the oldest. `jobs` are the queue's RUNNABLE ones, oldest first.
 */
export function headOf(queue: JobQueue, jobs: Job[], usage: ShareUsage): Job | undefined {
  const { policy } = queue;
  if (!policy) return jobs[0];
  const rank = (job: Job) => usage(job.shareIdentifier ?? '') * weightOf(policy, job.shareIdentifier ?? '');
  // Sorting is stable: among equals the oldest stays first.
  return jobs.toSorted((a, b) => rank(a) - rank(b) || b.schedulingPriority - a.schedulingPriority)[0];
}

/** An exact identifier first, then the longest prefix, else 1. */
function weightOf({ weights }: SchedulingPolicy, identifier: string): number {
  const prefixes = weights
    .filter((one) => one.identifier.endsWith('*') && identifier.startsWith(one.identifier.slice(0, -1)))
    .sort((a, b) => b.identifier.length - a.identifier.length);
  return (weights.find((one) => one.identifier === identifier) ?? prefixes[0])?.weight ?? 1;
}

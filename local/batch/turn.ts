/** Whose turn it is in a queue. */
import type { JobQueue, SchedulingPolicy } from './declared.ts';
import type { Attempt, Job } from './job.ts';
import { requirementsOf } from './job-definition.ts';
import { createShareUsage, type ShareUsage, type Use } from './share-usage.ts';

export interface Turns {
  /**
   * The job at the head of the queue: without a policy the oldest; with one, of the share that has used least for its
   * weight the job of the highest priority, then the oldest. `jobs` are the queue's that have not ended, oldest first.
   */
  headOf(queue: JobQueue, jobs: Job[], now: number): Job | undefined;
  /** An attempt has let go of what it held. */
  ended(queue: JobQueue, job: Job, attempt: Attempt, now: number): void;
}

export function createTurns(): Turns {
  const usages = new Map<string, ShareUsage>();
  const usageOf = (queue: JobQueue): ShareUsage => {
    const known = usages.get(queue.arn) ?? createShareUsage(queue.policy?.shareDecaySeconds ?? 0);
    usages.set(queue.arn, known);
    return known;
  };
  return {
    headOf(queue, jobs, now) {
      const { policy } = queue;
      const runnable = jobs.filter((job) => job.status === 'RUNNABLE');
      if (!policy) return runnable[0];
      const running = jobs.flatMap((job) => (job.current ? [useOf(job, job.current)] : []));
      const priority = ({ schedulingPriority = 0 }: Job) => schedulingPriority;
      const rank = ({ shareIdentifier = '' }: Job) =>
        usageOf(queue).of(shareIdentifier, running, now) * weightOf(policy, shareIdentifier);
      // Sorting is stable: among equals the oldest stays first.
      return runnable.toSorted((a, b) => rank(a) - rank(b) || priority(b) - priority(a))[0];
    },
    ended: (queue, job, attempt, now) => usageOf(queue).ended(useOf(job, attempt), now),
  };
}

const useOf = (job: Job, { placedAt }: Attempt): Use => ({
  shareIdentifier: job.shareIdentifier ?? '',
  vcpus: requirementsOf(job.container).vcpus,
  since: placedAt,
});

/** At most one of a policy's identifiers matches; 1 where none does. */
function weightOf({ weights }: SchedulingPolicy, identifier: string): number {
  const matches = (declared: string) =>
    declared.endsWith('*') ? identifier.startsWith(declared.slice(0, -1)) : declared === identifier;
  return weights.find((one) => matches(one.identifier))?.weight ?? 1;
}

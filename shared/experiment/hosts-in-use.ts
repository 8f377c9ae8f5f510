/**
 * Whether a job that waits only waits its turn: the hosts that it could run on are running other jobs. Batch says so
 * nowhere: behind `maxVcpus`, behind an instance quota and on a full machine alike, a job is RUNNABLE without a reason.
 */
import type { Jobs } from '../aws/jobs.ts';
import type { Stage } from '../model/stage.ts';
import { jobQueueName } from './find-job.ts';

/** Jobs that hold the hosts of a queue. */
export interface HostsInUse {
  /** Of the organisation itself. */
  own: number;
  /** Of other organisations: always 0 where hosts are dedicated. */
  others: number;
}

/** Several jobs that wait in one queue ask once. */
const memoryMs = 10_000;

/** Answers for a queue of the stage configuration; nothing is asked twice within ten seconds. */
export function createHostsInUse(
  stage: Pick<Stage, 'stage' | 'queues' | 'hosts' | 'organisations'>,
  jobs: Pick<Jobs, 'countPlaced'>,
  now: () => Date,
): (organisation: string, queue: string) => Promise<HostsInUse> {
  const known = new Map<string, { at: number; count: Promise<number> }>();
  const placed = (name: string): Promise<number> => {
    const at = now().getTime();
    const last = known.get(name);
    if (last && Math.abs(at - last.at) < memoryMs) return last.count;
    const count = jobs.countPlaced(name);
    known.set(name, { at, count });
    count.catch(() => known.delete(name));
    return count;
  };
  const placedOf = async (organisation: string, queues: string[]): Promise<number> => {
    const counts = await Promise.all(
      queues.map((queue) => placed(jobQueueName(stage.stage, organisation, queue))),
    );
    return sum(counts);
  };
  return async (organisation, queue) => {
    const queues = queuesOnHostsOf(stage, queue);
    const others =
      stage.hosts === 'shared' ? stage.organisations.filter(({ id }) => id !== organisation) : [];
    const [own, ...rest] = await Promise.all([
      placedOf(organisation, queues),
      ...others.map(({ id }) => placedOf(id, queues)),
    ]);
    return { own, others: sum(rest) };
  };
}

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

/** The queue and those that share an environment with it. */
function queuesOnHostsOf({ queues }: Pick<Stage, 'queues'>, name: string): string[] {
  const environments = queues.find((queue) => queue.name === name)?.environments ?? [];
  return queues
    .filter((queue) => queue.environments.some((environment) => environments.includes(environment)))
    .map((queue) => queue.name);
}

/** What a job waits for, in the words of the timeline. */
export function waitingFor(compute: string, { own, others }: HostsInUse): string {
  const running = [
    ...(own > 0 ? [`${jobCount(own)} of your organisation`] : []),
    ...(others > 0 ? [`${jobCount(others)} of other organisations`] : []),
  ];
  return `Waiting for a free ${compute} host: ${running.join(' and ')} ${own + others === 1 ? 'is' : 'are'} running.`;
}

const jobCount = (count: number) => `${count} ${count === 1 ? 'job' : 'jobs'}`;

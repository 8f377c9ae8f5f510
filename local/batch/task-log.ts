/** Takes a container's log over into CloudWatch Logs as the awslogs driver would: live, and every line once. */
import type { Engine } from '../engine/engine.ts';
import type { Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import type { Attempt, Job } from './job.ts';
import { createLogPosition } from './log-position.ts';
import type { BatchStore } from './store.ts';

interface LogParts {
  cloud: Cloud;
  engine: Engine;
  store: BatchStore;
}

export interface TaskLog {
  /** Takes lines over as they come, until the engine ends the stream or breaks it off. */
  follow(): Promise<void>;
  /**
   * Takes over what is missing once the container has stopped: a last line without line feed, and what the engine left
   * out when it broke the stream off or ended it early.
   */
  complete(): Promise<void>;
}

/** `release` ends the copying; the container and its log stay. */
export function createTaskLog(
  { cloud, engine, store }: LogParts,
  job: Job,
  attempt: Attempt,
  containerId: string,
  release: AbortSignal,
): TaskLog {
  const group = job.container.logConfiguration?.options['awslogs-group'] ?? '/aws/batch/job';
  let recorded = store.logPosition(attempt.taskId);
  const position = createLogPosition(recorded);

  const copy = async (hasStopped: boolean) => {
    for await (const batch of engine.followLog(containerId, position.since(), release)) {
      const { lines, unfinishedSince, rest } = batch;
      const events: { timestamp: number; message: string }[] = [];
      // Without its line feed a line is whole only once the container has stopped.
      // A line may have begun before others that are in the log already. Whoever reads on from there would never see
      // an event that comes before them.
      for (const line of hasStopped ? [...lines, ...rest] : lines)
        if (position.advance(line))
          events.push({ timestamp: milliseconds(position.newest()), message: line.text });
      position.leave(unfinishedSince);
      const at = position.toString();
      if (at === recorded) continue;
      transaction(cloud.db, () => {
        cloud.appendLogs(group, attempt.logStream, events);
        store.setLogPosition(attempt.taskId, at);
      });
      recorded = at;
    }
  };

  return {
    async follow() {
      try {
        await copy(false);
      } catch (error) {
        if (release.aborted) throw error;
        cloud.log('batch', `${job.id}: could not read the rest of the log: ${(error as Error).message}`);
      }
    },
    complete: () => copy(true),
  };
}

const milliseconds = (time: bigint) => Number(time / 1_000_000n);

/** Takes a container's log over into CloudWatch Logs as the awslogs driver would: live, and every line once. */
import type { Engine } from '../engine/engine.ts';
import type { Cloud } from '../platform.ts';
import type { Attempt, Job } from './job.ts';
import { createLogPosition } from './log-position.ts';
import type { BatchStore } from './store.ts';

interface LogParts {
  cloud: Cloud;
  engine: Engine;
  store: BatchStore;
}

/** The log driver cuts longer lines into several events. */
const longestEventBytes = 262_118;

export interface TaskLog {
  /** Takes lines over as they come, until the engine ends the stream or breaks it off. */
  follow(): Promise<void>;
  /**
   * Takes over what is missing once the container has stopped: the engine may have broken the stream off, or ended it
   * before a last line without line feed.
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
  const position = createLogPosition(store.logPosition(attempt.taskId));

  const copy = async () => {
    for await (const batch of engine.followLog(containerId, position.since(), release)) {
      const fresh = batch.filter(position.advance);
      if (fresh.length === 0) continue;
      // CloudWatch takes no empty events, and the log driver leaves them out.
      const events = fresh
        .filter((line) => line.text !== '')
        .flatMap(({ time, text }) =>
          eventsOf(text).map((message) => ({ timestamp: milliseconds(time), message })),
        );
      cloud.appendLogs(group, attempt.logStream, events);
      store.setLogPosition(attempt.taskId, position.toString());
    }
  };

  return {
    async follow() {
      try {
        await copy();
      } catch (error) {
        if (release.aborted) throw error;
        cloud.log('batch', `${job.id}: the log broke off: ${(error as Error).message}`);
      }
    },
    complete: copy,
  };
}

const milliseconds = (time: bigint) => Number(time / 1_000_000n);

function eventsOf(line: string): string[] {
  const bytes = Buffer.from(line);
  if (bytes.length <= longestEventBytes) return [line];
  const count = Math.ceil(bytes.length / longestEventBytes);
  return Array.from({ length: count }, (_, index) =>
    bytes.toString('utf8', index * longestEventBytes, (index + 1) * longestEventBytes),
  );
}

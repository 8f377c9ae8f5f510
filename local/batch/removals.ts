/**
 * Removing what attempts leave, once their end is on record: a death in between must find either the container or the
 * record. Whatever can't be removed now, the next start removes.
 */
import { isUnreachable } from '../engine/watch.ts';
import { containerName } from './container.ts';
import type { Attempt } from './job.ts';
import type { TaskParts } from './task.ts';

export interface Removals {
  /** Begins to remove the attempt's container; while the engine is away that waits. */
  begin(attempt: Attempt): void;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

/** `release` gives up those that wait. */
export function createRemovals(
  { cloud, engine, engineWatch, store }: TaskParts,
  release: AbortSignal,
): Removals {
  const underWay = new Set<Promise<void>>();

  async function remove(attempt: Attempt): Promise<void> {
    try {
      await engine.remove(containerName(attempt));
      store.forgetLogPosition(attempt.taskId);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      await engineWatch.answers(release);
      return remove(attempt);
    }
  }

  return {
    begin(attempt) {
      const removal = remove(attempt)
        .catch((error: Error) => {
          if (!release.aborted)
            cloud.log(
              'batch',
              `Could not remove the container of task ${attempt.taskId}; the next start removes it: ${error.message}`,
            );
        })
        .finally(() => underWay.delete(removal));
      underWay.add(removal);
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}

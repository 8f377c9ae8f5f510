/** Waiting for a container engine that has gone away: it is restarted, or upgraded, and its containers are there again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../platform.ts';
import { EngineError } from './connection.ts';
import type { Engine } from './engine.ts';

export interface EngineWatch {
  /** Resolves once the engine answers; rejects when `signal` aborts. */
  answers(signal: AbortSignal): Promise<void>;
}

const pauseMs = 500;

/** The engine could not be asked, so nothing is known of what it did. */
export const isUnreachable = (error: unknown): boolean => error instanceof EngineError && error.status === 0;

/** However many wait, the engine is asked once at a time, and its going and coming is said once. */
export function watchEngine(engine: Engine, { log }: Pick<Cloud, 'log'>): EngineWatch {
  let asking: Promise<boolean> | undefined;
  let isAway = false;

  const ask = async (): Promise<boolean> => {
    try {
      await engine.version();
    } catch (error) {
      if (!isAway)
        log(
          'engine',
          `The container engine at ${engine.host} does not answer: ${(error as Error).message}. Jobs and builds wait until it does.`,
        );
      isAway = true;
      return false;
    }
    if (isAway) log('engine', `The container engine at ${engine.host} answers again.`);
    isAway = false;
    return true;
  };
  const askOnce = (): Promise<boolean> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };

  return {
    async answers(signal) {
      signal.throwIfAborted();
      while (!(await askOnce())) await sleep(pauseMs, undefined, { signal });
    },
  };
}

/** Keeps a journal moving: at once when something is added, and when the next retry is due. */
import type { Cloud } from '../platform.ts';
import type { DeliveryJournal } from './journal.ts';

export interface Pump {
  /** Looks at the journal soon. Nothing moves before `start`. */
  kick(): void;
  start(): void;
  /** Resolves when nothing is under way any more; what is left stays in the journal. */
  stop(): Promise<void>;
}

const longestSleepMs = 30_000;

/** `name` is for the log. */
export function createPump(cloud: Cloud, name: string, journal: DeliveryJournal): Pump {
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(run, delayMs);
  }
  function run(): void {
    underWay = journal
      .drain()
      .catch((error: Error) => cloud.log(name, `could not deliver for now: ${error.stack ?? error.message}`))
      .finally(() => {
        if (!running) return;
        const dueAt = journal.nextDueAt();
        if (dueAt !== undefined)
          schedule(Math.min(Math.max(dueAt - cloud.now().getTime(), 1), longestSleepMs));
      });
  }

  return {
    kick() {
      if (running) schedule(0);
    },
    start() {
      running = true;
      schedule(0);
    },
    stop() {
      running = false;
      clearTimeout(timer);
      return underWay;
    },
  };
}

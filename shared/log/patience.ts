/** How long one request waits for something new, and how many of one member do so at the same time. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Condition, ConditionFailedError, type Table } from '../store/table.ts';

/** Answers go out this long before the function's own time is over. */
const marginMs = 2000;

/** Waiting places of one member; each takes up a function's environment while it is held. */
export interface WaitingPlaces {
  /** Takes a place until `untilMs` at the latest. Answers what gives it back, or undefined where none is free. */
  take(untilMs: number): Promise<(() => Promise<void>) | undefined>;
}

export interface Patience {
  /** Whether the answer has to go out now, whatever there is. */
  isOver(): boolean;
  /** Waits a fraction of a second, so that requests that come one after the other don't come too fast. */
  pace(ms: number): Promise<void>;
  /**
   * Waits so long, or until it is over. Where the member has no place left, it is over then: this one wait keeps a client
   * that comes back at once from asking as fast as it can.
   */
  pause(ms: number): Promise<void>;
  /** To be called when the answer is made. */
  end(): Promise<void>;
}

export function createPatience({
  wait,
  remainingMs,
  places,
}: {
  wait: number;
  remainingMs(): number;
  places?: WaitingPlaces | undefined;
}): Patience {
  const lengthMs = Math.min(wait * 1000, remainingMs() - marginMs);
  const until = performance.now() + lengthMs;
  let isRefused = false;
  let leave: (() => Promise<void>) | undefined;
  const isOver = () => isRefused || performance.now() >= until;
  const pace = (ms: number) => sleep(Math.max(1, Math.min(ms, until - performance.now())));
  return {
    isOver,
    pace,
    async pause(ms) {
      if (isOver()) return;
      if (places && !leave) {
        leave = await places.take(Date.now() + lengthMs + marginMs);
        isRefused = leave === undefined;
      }
      await pace(ms);
    },
    end: async () => await leave?.(),
  };
}

const attempts = 3;

/** At most `most` places. Each is an item that expires, so that a function that dies holds none for long. */
export function waitingPlaces(
  table: Table,
  { organisation, memberId }: { organisation: string; memberId: string },
  most: number,
  now: () => number = Date.now,
): WaitingPlaces {
  return {
    async take(untilMs) {
      const holder = randomBytes(8).toString('hex');
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const items = await table.all(organisation, 'waiting-places', `${memberId}#`);
        const held = new Set(items.flatMap(({ sk, until }) => (Number(until) > now() ? [String(sk)] : [])));
        const free = Array.from({ length: most }, (_, i) => `${memberId}#${i}`).filter(
          (one) => !held.has(one),
        );
        const place = free[Math.floor(Math.random() * free.length)];
        if (place === undefined) return undefined;
        const item = { holder, until: untilMs, expiresAt: Math.ceil(untilMs / 1000) + 60 };
        if (await succeeds(table.put(organisation, 'waiting-places', place, item, isFree(now()))))
          return async () =>
            void (await succeeds(table.remove(organisation, 'waiting-places', place, heldBy(holder))));
      }
      // Others are at it at the same time, and take what is free.
      return undefined;
    },
  };
}

const isFree = (now: number): Condition => ({
  expression: 'attribute_not_exists(pk) OR #until <= :now',
  names: { '#until': 'until' },
  values: { ':now': now },
});

const heldBy = (holder: string): Condition => ({
  expression: 'holder = :holder',
  values: { ':holder': holder },
});

async function succeeds(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionFailedError) return false;
    throw error;
  }
}

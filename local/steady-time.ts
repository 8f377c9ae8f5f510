/**
 * Time for durations. The clock on the wall leaps when somebody sets it; this one doesn't, and it goes on over a restart
 * of the process, until the machine itself starts anew.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

export interface SteadyTime {
  /** Times of different boots can't be compared. */
  boot: string;
  /** Milliseconds since that boot, sleep included. */
  ms: number;
}

let boot: string | undefined;

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No Linux: the time since the boot alone has to do.
    return '';
  }
}

function uptimeSeconds(): number {
  try {
    return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  } catch {
    return uptime();
  }
}

export function steadyTime(): SteadyTime {
  boot ??= bootId();
  return { boot, ms: uptimeSeconds() * 1000 };
}

/** When something began: on the wall for people, steady for what depends on it. */
export interface Beginning {
  /** Epoch milliseconds. */
  wall: number;
  /** Absent in records of older versions. */
  steady?: SteadyTime;
}

/** Milliseconds since `begun`: by the wall only where the machine was started anew meanwhile. */
export function elapsedMs(
  clocks: { now(): Date; steady(): SteadyTime },
  { wall, steady }: Beginning,
): number {
  const current = clocks.steady();
  if (steady && steady.boot === current.boot) return Math.max(0, current.ms - steady.ms);
  return Math.max(0, clocks.now().getTime() - wall);
}

/** `rate(…)`, `cron(…)` and `at(…)`: when something happens next. */
import { type Cron, parseCron } from './cron.ts';

export interface Schedule {
  /** The next time strictly after `time` (epoch milliseconds); undefined when there is none any more. */
  next(time: number): number | undefined;
}

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const dayMs = 86_400_000;
/** A cron expression that nothing matches for this long never will (leap years come every eight at most). */
const horizonDays = 366 * 9;

/** How far local time in `timeZone` is ahead of UTC at an instant, in milliseconds. */
function offsetAt(instant: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(instant / 1000) * 1000;
}

/** The instant of a local time; undefined for one that the clocks skip. */
function instantOf(local: number, timeZone: string): number | undefined {
  // The offset on one side of a change of clocks or on the other fits; the earlier instant wins.
  const candidates = [offsetAt(local - dayMs, timeZone), offsetAt(local + dayMs, timeZone)].map(
    (offset) => local - offset,
  );
  return candidates.sort((a, b) => a - b).find((instant) => instant + offsetAt(instant, timeZone) === local);
}

function nextOfCron(cron: Cron, time: number, timeZone: string): number | undefined {
  const local = time + offsetAt(time, timeZone);
  const today = Math.floor(local / dayMs) * dayMs;
  for (let days = 0; days <= horizonDays; days += 1) {
    const date = new Date(today + days * dayMs);
    const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    if (!cron.matchesDay(day)) continue;
    for (const hour of cron.hours)
      for (const minute of cron.minutes) {
        const instant = instantOf(date.getTime() + hour * 3_600_000 + minute * 60_000, timeZone);
        if (instant !== undefined && instant > time) return instant;
      }
  }
  return undefined;
}

/**
 * Reads a schedule expression. Rates count from `startedAt` (epoch milliseconds). Throws an Error that says what
 * is wrong with the expression.
 */
export function parseSchedule(expression: string, startedAt: number, timeZone = 'UTC'): Schedule {
  const fail = (reason: string): Error => new Error(`schedule expression ${expression}: ${reason}`);
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate) {
    const count = Number(rate[1]);
    if (count < 1 || (count === 1) !== (rate[3] === ''))
      throw fail('write a singular unit after 1 (rate(1 minute)), and a plural one after other numbers');
    const everyMs = count * (unitMs[rate[2] ?? ''] ?? 0);
    return {
      next: (time) =>
        time < startedAt ? startedAt : startedAt + (Math.floor((time - startedAt) / everyMs) + 1) * everyMs,
    };
  }
  const cron = /^cron\((.+)\)$/.exec(expression);
  if (cron) {
    try {
      const parsed = parseCron(cron[1] ?? '');
      return { next: (time) => nextOfCron(parsed, time, timeZone) };
    } catch (error) {
      throw fail((error as Error).message);
    }
  }
  const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression);
  if (!at) throw fail('it must be rate(…), cron(…) or at(…)');
  const instant = instantOf(Date.parse(`${at[1]}Z`), timeZone);
  return { next: (time) => (instant !== undefined && time < instant ? instant : undefined) };
}

/** Entries as a timeline shows them: in the order they were learned, each with how long it was since the one before. */
import type { NewEvent } from './advance.ts';

type Entry = Omit<NewEvent, 'durationMs'>;

/**
 * `lastEventAt` is the time of the entry before; the answer has that of the last one. AWS reports its own times, late,
 * out of order, some of them in whole seconds: no entry has a time before the one above it.
 */
export function timed(lastEventAt: string, entries: Entry[]): { events: NewEvent[]; lastEventAt: string } {
  let last = lastEventAt;
  const events = entries.map((entry): NewEvent => {
    const before = last;
    last = latest(entry.time, before);
    return { ...entry, time: last, durationMs: Date.parse(last) - Date.parse(before) };
  });
  return { events, lastEventAt: last };
}

/** The last of some times; those that are not known don't count. */
export const latest = (first: string, ...others: (string | undefined)[]): string =>
  others.reduce<string>((last, one) => (one !== undefined && one > last ? one : last), first);

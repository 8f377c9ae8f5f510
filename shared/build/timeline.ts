/** Entries as the timeline shows them: in the order they were learned, never with a time before the one above. */
import type { NewEvent } from '../store/advance.ts';

/** AWS reports its own times, some of them in whole seconds. */
export function onTimeline(
  { lastEventAt }: { lastEventAt: string },
  events: NewEvent[],
): { events: NewEvent[]; lastEventAt: string } {
  let last = lastEventAt;
  const ordered = events.map((event) => {
    if (event.time > last) last = event.time;
    return { ...event, time: last };
  });
  return { events: ordered, lastEventAt: last };
}

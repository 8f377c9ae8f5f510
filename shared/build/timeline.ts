import type { NewEvent } from '../store/advance.ts';
import { timed } from '../store/timeline.ts';

/** Entries of a build whose last one so far was at `lastEventAt`. */
export const onTimeline = (
  { lastEventAt }: { lastEventAt: string },
  events: Omit<NewEvent, 'durationMs'>[],
) => timed(lastEventAt, events);

/** Writers that meet on one item: each of them tries again at another moment. */
import { setTimeout as sleep } from 'node:timers/promises';

const longestMs = 640;

/** To be awaited after attempt `attempt`, from 1, found somebody else there: at random, and longer every time. */
export const pauseAfter = (attempt: number): Promise<void> =>
  sleep(Math.random() * Math.min(longestMs, 20 * 2 ** attempt));

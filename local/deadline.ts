/** Timers for any point in time: Node's own end at 24.8 days. */

const longestTimerMs = 2_147_483_647;

/** Runs `work` once `now()` has reached `deadlineMs` (epoch milliseconds). Returns cancel. */
export function atDeadline(deadlineMs: number, now: () => Date, work: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = deadlineMs - now().getTime();
    timer = left > longestTimerMs ? setTimeout(wait, longestTimerMs) : setTimeout(work, Math.max(0, left));
  };
  wait();
  return () => clearTimeout(timer);
}

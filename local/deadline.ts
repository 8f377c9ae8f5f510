/** Timers for any time ahead: Node's own end at 24.8 days. */

const longestTimerMs = 2_147_483_647;

/** Runs `work` once nothing is left by `leftMs()`, which is asked again whenever the timer fires. Returns cancel. */
export function whenElapsed(leftMs: () => number, work: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = leftMs();
    timer = left > 0 ? setTimeout(wait, Math.min(left, longestTimerMs)) : setTimeout(work, 0);
  };
  wait();
  return () => clearTimeout(timer);
}

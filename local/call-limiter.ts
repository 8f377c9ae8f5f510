/** Request rates as AWS limits them: a bucket that holds one second's worth of calls. */
import { AwsError } from './platform.ts';

const throttled = (): AwsError => new AwsError('ThrottlingException', 'Rate exceeded');

/** Returns a check that throws beyond `perSecond` calls. `now` is in milliseconds. */
export function callLimiter(perSecond: number, now: () => number, refusal = throttled): () => void {
  let available = perSecond;
  let filledAt = now();
  return () => {
    const time = now();
    available = Math.min(perSecond, available + (Math.max(0, time - filledAt) / 1000) * perSecond);
    filledAt = time;
    if (available < 1) throw refusal();
    available -= 1;
  };
}

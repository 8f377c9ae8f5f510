/** Request rates as AWS limits them: a bucket that holds one second's worth of calls. */
import { AwsError } from './platform.ts';

/** Returns a check that throws `ThrottlingException` beyond `perSecond` calls. `now` is in milliseconds. */
export function callLimiter(perSecond: number, now: () => number): () => void {
  let available = perSecond;
  let filledAt = now();
  return () => {
    const time = now();
    available = Math.min(perSecond, available + ((time - filledAt) / 1000) * perSecond);
    filledAt = time;
    if (available < 1) throw new AwsError('ThrottlingException', 'Rate exceeded');
    available -= 1;
  };
}

/** The throttle of a stage or of one of its routes: so many requests a second, with a burst. */
import type { Throttle } from './declared.ts';

export class TokenBucket {
  private readonly ratePerSecond: number;
  private readonly burst: number;
  private tokens: number;
  private filledAt = 0;

  constructor({ ratePerSecond, burst }: Throttle) {
    this.ratePerSecond = ratePerSecond;
    this.burst = burst;
    this.tokens = burst;
  }

  /** Whether one more request may pass at this time (ms). */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.filledAt) / 1000) * this.ratePerSecond;
    this.tokens = Math.min(this.burst, this.tokens + gained);
    this.filledAt = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}

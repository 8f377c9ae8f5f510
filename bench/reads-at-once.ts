/** What many requests at once cost by themselves on this machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCloud } from './cloud.ts';
import { quantile, timed } from './report.ts';

/** Rounds before the one that counts: environments start, and load their code. */
const warmUps = 3;
/** The stage's throttle lets a burst through, and then has to recover. */
const recoveryMs = 2000;

/** p99 of `count` requests at once that do the least a request can do with the table: `GET /v1/images/{id}`. */
export async function readsAtOnce({ api }: BenchCloud, imageId: string, count: number): Promise<number> {
  let took: number[] = [];
  for (let round = 0; round <= warmUps; round++) {
    await sleep(recoveryMs);
    took = await Promise.all(
      Array.from({ length: count }, () => timed(() => api.get(`/v1/images/${imageId}`))),
    );
  }
  return quantile(took, 0.99);
}

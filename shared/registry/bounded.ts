/** A client whose answers somebody waits for: one registry may keep them waiting for so long, and no longer. */
import type { RegistryClient } from './model.ts';
import { unreachable } from './network-errors.ts';

/** Functions behind the API have half a minute. */
export const lookUpsMs = 20_000;

/**
 * Each request has a time-out of its own, and a registry that answers just before it, redirects, and names a slow token
 * service could still outlast the function. `budgetMs` is for all look-ups together, the time of those that run side by
 * side counted once; after it they end in `unreachable`. Blobs on their way take what they take.
 */
export function bounded(client: RegistryClient, budgetMs: number): RegistryClient {
  let [spentMs, underWay, sinceMs] = [0, 0, 0];

  async function inTime<T>(ask: () => Promise<T>): Promise<T> {
    const slow = () => unreachable(client.host, 'responded too slowly');
    const now = performance.now();
    const leftMs = budgetMs - spentMs - (underWay > 0 ? now - sinceMs : 0);
    if (leftMs <= 0) throw slow();
    if (underWay++ === 0) sinceMs = now;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(slow()), leftMs);
    });
    try {
      return await Promise.race([ask(), late]);
    } finally {
      clearTimeout(timer);
      if (--underWay === 0) spentMs += performance.now() - sinceMs;
    }
  }

  const within = <A extends unknown[], R>(ask: (...args: A) => Promise<R>) => {
    return (...args: A) => inTime(() => ask(...args));
  };
  return {
    ...client,
    ping: within(client.ping),
    headManifest: within(client.headManifest),
    getManifest: within(client.getManifest),
    resolveManifest: within(client.resolveManifest),
    readBlob: within(client.readBlob),
    putManifest: within(client.putManifest),
    deleteManifest: within(client.deleteManifest),
    listTags: within(client.listTags),
    listReferrers: within(client.listReferrers),
    probePush: within(client.probePush),
  };
}

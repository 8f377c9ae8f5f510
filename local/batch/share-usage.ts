/** What each share of a queue has used, where what was used lately counts most. */

/** A job's hold on vCPUs. */
export interface Use {
  shareIdentifier: string;
  vcpus: number;
  /** Epoch milliseconds. */
  since: number;
}

export interface ShareUsage {
  /** A job has let go of its vCPUs. */
  ended(use: Use, now: number): void;
  /** vCPU-seconds of a share: past ones with half the weight after each `decaySeconds`, and those of running jobs. */
  of(shareIdentifier: string, running: Use[], now: number): number;
}

/** Batch's own window where a policy says 0 or nothing. */
const shortestDecaySeconds = 600;

/** A job that has just been placed counts at once, or its share would get every free place of the same moment. */
const leastSeconds = 1;

export function createShareUsage(decaySeconds: number): ShareUsage {
  const decayMs = Math.max(decaySeconds, shortestDecaySeconds) * 1000;
  const past = new Map<string, { vcpuSeconds: number; at: number }>();
  const decayed = (shareIdentifier: string, now: number) => {
    const known = past.get(shareIdentifier);
    return known ? known.vcpuSeconds * 0.5 ** ((now - known.at) / decayMs) : 0;
  };
  const secondsOf = ({ since }: Use, now: number) => Math.max(leastSeconds, (now - since) / 1000);
  return {
    ended(use, now) {
      const vcpuSeconds = decayed(use.shareIdentifier, now) + use.vcpus * secondsOf(use, now);
      past.set(use.shareIdentifier, { vcpuSeconds, at: now });
    },
    of: (shareIdentifier, running, now) =>
      running
        .filter((use) => use.shareIdentifier === shareIdentifier)
        .reduce((sum, use) => sum + use.vcpus * secondsOf(use, now), decayed(shareIdentifier, now)),
  };
}

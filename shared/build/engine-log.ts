/** What BuildKit does with the log of a step (B20). */

/** BuildKit keeps the numbers in 32 bits. */
const most = String(2 ** 31 - 1);
/** The first Docker whose BuildKit takes -1 for no limit. Older ones clip everything then. */
const firstWithoutLimit = 23;

/**
 * Environment of a daemon whose BuildKit keeps every line. Without it a step's log ends at 2 MiB, and lines that come
 * faster than 200 KiB a second are left out. Of a version that isn't known, the most that every engine takes: 2 GiB.
 */
export function unclippedLogs(version = ''): Record<string, string> {
  const limit = Number.parseInt(version, 10) >= firstWithoutLimit ? '-1' : most;
  return { BUILDKIT_STEP_LOG_MAX_SIZE: limit, BUILDKIT_STEP_LOG_MAX_SPEED: limit };
}

/** The step whose log lacks lines from here on, and the limit, as BuildKit's plain progress says it. */
export function clippedIn(line: string): { step: string; limit: string } | undefined {
  const [, step, limit] = /^#(\d+) \d+\.\d+ \[output clipped, log limit ([^\]]+) reached\]$/.exec(line) ?? [];
  return step === undefined || limit === undefined ? undefined : { step, limit };
}

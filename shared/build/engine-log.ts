/** What BuildKit does with the log of a step (B20). */

/**
 * Environment of a daemon whose BuildKit keeps every line. Without it a step's log ends at 2 MiB, and lines that come
 * faster than 200 KiB a second are left out.
 */
export const unclippedLogs = {
  BUILDKIT_STEP_LOG_MAX_SIZE: '-1',
  BUILDKIT_STEP_LOG_MAX_SPEED: '-1',
} as const;

/** The step whose log lacks lines from here on, and the limit, as BuildKit's plain progress says it. */
export function clippedIn(line: string): { step: string; limit: string } | undefined {
  const [, step, limit] = /^#(\d+) \d+\.\d+ \[output clipped, log limit ([^\]]+) reached\]$/.exec(line) ?? [];
  return step === undefined || limit === undefined ? undefined : { step, limit };
}

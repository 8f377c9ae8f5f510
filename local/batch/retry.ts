/** What follows a failed attempt. */
import type { RetryStrategy } from './job-definition.ts';

export interface FailedAttempt {
  exitCode?: number;
  reason?: string;
  statusReason?: string;
}

/**
 * True if another attempt is due: there are attempts left, and the first condition that matches says so. Where none
 * matches, the job is retried.
 */
export function shouldRetry(strategy: RetryStrategy, attemptsMade: number, attempt: FailedAttempt): boolean {
  if (attemptsMade >= strategy.attempts) return false;
  const match = strategy.evaluateOnExit.find(
    (rule) =>
      matches(rule.onStatusReason, attempt.statusReason) &&
      matches(rule.onReason, attempt.reason) &&
      matches(rule.onExitCode, attempt.exitCode === undefined ? undefined : String(attempt.exitCode)),
  );
  return match === undefined || match.action.toUpperCase() === 'RETRY';
}

/** An absent pattern matches anything; case doesn't count; a trailing `*` stands for any rest. */
function matches(pattern: string | undefined, value: string | undefined): boolean {
  if (pattern === undefined) return true;
  const text = (value ?? '').toLowerCase();
  const wanted = pattern.toLowerCase();
  return wanted.endsWith('*') ? text.startsWith(wanted.slice(0, -1)) : text === wanted;
}

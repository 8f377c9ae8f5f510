/** What a build's record and timeline say of its Dockerfile. */
import type { LintWarning } from '../model/dockerfile-lint.ts';
import type { NewEvent } from '../store/advance.ts';
import { lintDockerfile } from './lint.ts';

/** Of a request without a Dockerfile there is nothing to say. */
export function lintOf(request: object): LintWarning[] {
  const { dockerfile, buildArgs }: { dockerfile?: unknown; buildArgs?: unknown } = request;
  if (typeof dockerfile !== 'string') return [];
  return lintDockerfile(dockerfile, { buildArgs: (buildArgs ?? {}) as Record<string, string> });
}

/** The record has them all; a timeline is for reading. */
const shownAtMost = 10;

export function lintEvents(warnings: LintWarning[], time: string): NewEvent[] {
  const events = warnings.slice(0, shownAtMost).map(({ code, line, message, remedy }) => ({
    time,
    code: 'lint',
    message: `Dockerfile, line ${line}: ${message} (${code}). ${remedy}`,
  }));
  const more = warnings.length - events.length;
  if (more > 0) events.push({ time, code: 'lint', message: `${more} more: see the build's \`warnings\`.` });
  return events;
}

/** What a build's record and timeline say of its Dockerfile. */
import { type LintWarning, lintLimit } from '../model/dockerfile-lint.ts';
import type { NewEvent } from '../store/advance.ts';
import { type LintOptions, lintDockerfile } from './lint.ts';
import { type Given, unusedIn } from './unused.ts';

/** All that is said of a build before it is built, in the order of lines; at most `lintLimit`. Never throws. */
export function lintBuild({ dockerfile, notebook, ...given }: Lintable): LintWarning[] {
  const { buildArgs } = given;
  const all = [...lintDockerfile(dockerfile, { buildArgs, notebook }), ...unusedIn(dockerfile, given)];
  return all.sort((a, b) => a.line - b.line).slice(0, lintLimit);
}

export interface Lintable extends Given, LintOptions {
  dockerfile: string;
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
  if (more > 0)
    events.push({
      time,
      code: 'lint',
      message: `The Dockerfile has ${more} more ${more === 1 ? 'warning' : 'warnings'}. See \`warnings\` of the build.`,
    });
  return events;
}

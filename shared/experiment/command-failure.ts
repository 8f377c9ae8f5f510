/**
 * Why a command could not be run, from its exit code and the last lines of its log. Shells and the container's init
 * process end with 127 where a program is missing and with 126 where it can't be executed; which program that was, and
 * why, only their own words tell. Both are the same on AWS and on one machine.
 */
import type { ExperimentReason } from '../model/experiment.ts';
import { abridged } from '../text/abridged.ts';
import { inShell, misreading, quoted } from './command-words.ts';
import type { ExperimentRecord, Reason } from './record.ts';

/** What was run. */
export type Launched = Pick<ExperimentRecord, 'command' | 'entrypoint' | 'entrypointReplaced'>;

/** Of the init process, which could not run what the image or the experiment names. */
const initLine = /^\[FATAL tini \(\d+\)\] exec (.*) failed: (.*?)\s*$/s;
/** Of the shell that was to become the command, which is named so (see `job/bootstrap.ts`). */
const ownLine = /^slipway: /;
const firstLine = /^slipway: .* begins with #!(.*)$/s;
/** Of a shell that was given a program of another processor: whatever can't be executed may be a script. */
const noScript = /^(\/.+?): (?:line )?1: (?:syntax error|.*\x7fELF.*not found)/is;
const isShell = /\/(?:ba|da|a|k|z)?sh$/;
const wrongFormat = /exec format error|cannot execute binary file/i;

/** What a shell says has its words at the beginning or the end of a line; a command may print lines of any length. */
const longestLine = 1000;

/** Nothing for an exit code that is the command's own. `lastLines` are those of the log. */
export function commandFailure(
  exitCode: number,
  lastLines: readonly string[],
  launched: Launched,
): Reason | undefined {
  const lines = lastLines.map((line) => abridged(line, longestLine));
  const init = matchIn(lines, initLine);
  if (init) return initFailure(init[1] ?? '', init[2] ?? '', launched);
  const script = matchIn(lines, noScript)?.[1];
  if (script !== undefined && !isShell.test(script) && [2, 127].includes(exitCode))
    return readByShell(script, launched);
  if (exitCode !== 126 && exitCode !== 127) return undefined;
  const code = exitCode === 127 ? 'command-not-found' : 'command-not-executable';
  const [program] = launched.command ?? [];
  const isOwn = launched.entrypoint === 'replace' && lines.some((line) => ownLine.test(line));
  if (program === undefined || !isOwn) return because(code, within(exitCode, lines));
  const said = lines.filter((line) => ownLine.test(line)).join('\n');
  if (code === 'command-not-executable') return because(code, notExecutable(program, said));
  const interpreter = matchIn(lines, firstLine)?.[1];
  return because(
    code,
    interpreter === undefined ? notFound(launched) : withoutInterpreter(program, interpreter),
  );
}

/** Whether the log may say more than the exit code; `ranMs` is how long the container ran. */
export const isUnclear = (exitCode: number | undefined, ranMs: number) =>
  exitCode === 126 ||
  exitCode === 127 ||
  // The init process, or a shell, ends so for a program of another processor, and does at once.
  ((exitCode === 1 || exitCode === 2) && ranMs < 10_000);

const because = (code: ExperimentReason, message: string): Reason => ({ code, message });

function matchIn(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines.toReversed()) {
    const found = pattern.exec(line);
    if (found) return found;
  }
  return undefined;
}

const buildFor = 'Build the image for linux/amd64 (`docker build --platform linux/amd64`)';

function initFailure(program: string, why: string, launched: Launched): Reason {
  const isForeign = wrongFormat.test(why);
  const isMissing = /no such file/i.test(why);
  if (program === '/bin/sh' && launched.command !== undefined && launched.entrypoint === 'replace')
    return isForeign
      ? because('image-unsupported', `The image's programs are built for another processor. ${buildFor}.`)
      : because(
          'image-without-shell',
          `The image ${isMissing ? 'has no /bin/sh' : 'has a /bin/sh that its user has no permission to execute'}. A command that replaces the ENTRYPOINT needs one. Choose another base image, or set \`"entrypoint": "keep"\`.`,
        );
  if (launched.command?.[0] === program) {
    if (isMissing) return because('command-not-found', notFound(launched));
    return because('command-not-executable', notExecutable(program, why));
  }
  const names = `The image's ENTRYPOINT or CMD names ${quoted(program)}`;
  if (isForeign)
    return because('image-unsupported', `${names}, a program for another processor. ${buildFor}.`);
  return because(
    'image-config-invalid',
    isMissing
      ? `${names}. The image lacks this program, or the interpreter in its first line. Correct the ENTRYPOINT or CMD, or give a command.`
      : `${names}, which its user has no permission to execute. Make it executable in the Dockerfile (\`RUN chmod +x …\`), or give a command.`,
  );
}

function readByShell(program: string, { command }: Launched): Reason {
  const said = `${quoted(program)} is not a shell script. It is a program for another processor, or its first line must name an interpreter, such as \`#!/usr/bin/env python3\`.`;
  return command?.[0] === program
    ? because('command-not-executable', said)
    : because(
        'image-unsupported',
        `${said} If it is a program, build the image for linux/amd64 (\`docker build --platform linux/amd64\`).`,
      );
}

function notFound({ command = [], entrypointReplaced }: Launched): string {
  const [program = ''] = command;
  const keep = entrypointReplaced
    ? ' The command replaced the image\'s ENTRYPOINT. To pass it to the ENTRYPOINT instead, set `"entrypoint": "keep"`.'
    : '';
  return `${misreading(command) ?? `The image has no program ${quoted(program)} on its PATH.`}${keep}`;
}

const unixLineEnds = 'Save it with Unix line endings (LF) instead of Windows ones (CRLF).';

function withoutInterpreter(program: string, interpreter: string): string {
  if (interpreter.endsWith('\r'))
    return `The host can't run ${quoted(program)}: its first line ends with a carriage return. ${unixLineEnds}`;
  const [name = ''] = interpreter.trim().split(/\s/);
  return `The host can't run ${quoted(program)}: its first line names the interpreter ${quoted(name)}, which the image doesn't have.`;
}

function notExecutable(program: string, said: string): string {
  if (wrongFormat.test(said))
    return `${quoted(program)} is built for another processor than the hosts' (linux/amd64), or damaged.`;
  if (/is a directory/i.test(said)) return `${quoted(program)} is a directory.`;
  return `${quoted(program)} is not executable for the image's user. Make it executable in the Dockerfile (\`RUN chmod +x …\`), or run it with its interpreter: ${inShell([program])}.`;
}

/** What shells, `env` in the first line of a script, and programs such as `timeout` say of what they were to run. */
const missing = [
  /\benv: (?:can't execute )?['‘"]?(.+?)['’"]?: No such file or directory/s,
  /(?:^|: )failed to run command ['‘"]?(.+?)['’"]?: No such file or directory/,
  /(?:^|: )(?:command not found|Unknown command): (\S+)\s*$/,
  /(?:^|: )([^:]+): [^:]+: bad interpreter\b/,
  /(?:^|: )(?:\$')?([^:']+)'?: (?:command )?not found\s*$/,
  /(?:^|: )['‘"]?([^:]+?)['’"]?: (?:cannot execute: required file not found|No such file or directory)\s*$/,
];
const refused =
  /(?:^|: )(?:failed to run command )?['‘"]?([^:]+?)['’"]?: (?:cannot execute: )?(Permission denied|[Ii]s a directory|cannot execute binary file|Exec format error)\b/;

/** The command itself did run: what it was to run in its turn failed. */
function within(exitCode: number, lines: readonly string[]): string {
  const ended = `The command ended with exit code ${exitCode}`;
  if (exitCode === 126) {
    const [, name, why = ''] = matchIn(lines, refused) ?? [];
    return name === undefined
      ? `${ended}, which usually means that a program can't be executed. The last lines of the log name it.`
      : `${ended}: ${notExecutable(name, why)}`;
  }
  for (const line of lines.toReversed()) {
    const name = missing.map((pattern) => pattern.exec(line)?.[1]).find((one) => one !== undefined);
    if (name === undefined) continue;
    if (/(\r|\\r|\^M)/.test(line)) {
      const before = name.replace(/(\r|\\r|\^M)+$/, '');
      return `${ended}: a line of a script ends with a carriage return${before && ` after ${quoted(before)}`}. ${unixLineEnds}`;
    }
    return `${ended}: ${misreading([name]) ?? `the shell did not find ${quoted(name)} in the image.`}`;
  }
  return `${ended}, which usually means that a program does not exist. The last lines of the log name it.`;
}

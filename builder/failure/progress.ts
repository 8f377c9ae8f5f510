/** Reads BuildKit's plain progress and says what went wrong, in stable codes. */
import type { BuildFailure } from '../../shared/model/build.ts';
import { addressOf, classify, describe } from './classify.ts';
import { keptLines, longestLine } from './limits.ts';
import { isUnfinished, reasonIn } from './words.ts';

/** Lines of a command in an error: here-documents are printed as they are. */
const longestCommand = 500;

/** Follows a build line by line. */
export class BuildProgress {
  readonly #steps = new Map<string, { name: string; lines: string[] }>();
  #failed: { step: string; message: string } | undefined;
  /** The error whose next lines follow. */
  #unfinished: { message: string } | undefined;
  /** Lines outside of any step: BuildKit's last words. */
  readonly #outside: string[] = [];
  readonly #hasFiles: boolean;

  /** `hasFiles`: whether there is a context to copy from. */
  constructor(hasFiles: boolean) {
    this.#hasFiles = hasFiles;
  }

  take(line: string): void {
    if (this.#unfinished) {
      this.#goOn(this.#unfinished, line);
      return;
    }
    const [, number, rest = ''] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (number === undefined) {
      if (line.trim() !== '' && !/^-+$/.test(line)) push(this.#outside, line);
      return;
    }
    const step = this.#steps.get(number);
    const [, output] = /^\d+\.\d+ (.*)$/.exec(rest) ?? [];
    const [, error] = /^ERROR: (.*)$/.exec(rest) ?? [];
    if (!step) this.#steps.set(number, { name: rest, lines: [] });
    else if (output !== undefined) push(step.lines, output);
    // A cache that can't be read or written is no failure of the build.
    else if (error !== undefined && !/^(importing|exporting) cache/.test(step.name))
      this.#fail(number, error);
  }

  #fail(step: string, message: string): void {
    const failed = { step, message };
    if (isUnfinished(message)) this.#unfinished = failed;
    // What is given up because another step has failed may be told first.
    if (!this.#failed || isCancelled(this.#failed.message)) this.#failed = failed;
  }

  #goOn(failed: { message: string }, line: string): void {
    failed.message += `\n${line}`;
    const isOver = !isUnfinished(failed.message) || failed.message.split('\n').length > longestCommand;
    if (isOver) this.#unfinished = undefined;
  }

  /** What the build failed of, once it has. */
  failure(): BuildFailure {
    const step = this.#failed && this.#steps.get(this.#failed.step);
    const last = this.#outside.findLast((line) => lastWords.test(line)) ?? this.#outside.at(-1);
    const message = this.#failed?.message ?? last ?? 'docker build failed without output.';
    // Its summary names the step as well.
    const named = this.#outside.map((line) => /^ > (.*):$/.exec(line)?.[1]).find((one) => one !== undefined);
    const name = step?.name ?? named ?? '';
    const printed = step?.lines ?? [];
    const failed = { step: name, message, reason: reasonIn(message), lines: printed };
    const code = classify(failed);
    const lines = printed.length > 0 ? printed : this.#outside;
    return {
      code,
      message: describe(code, failed, this.#hasFiles),
      ...stepOf(name),
      exitCode: failed.reason.exitCode,
      lastLines: lines.length > 0 ? [...lines] : undefined,
    };
  }
}

const lastWords =
  /^(?:ERROR: )?(?:failed to |executor failed |process ")|^ERROR: |^(?:ERROR: )?rpc error: |returned a non-zero code/;

const isCancelled = (message: string) => /context canceled/.test(message);

/** Of what stands in the Dockerfile. Engines before 23 name the fetching of an address after that alone. */
function stepOf(name: string): { step?: string } {
  if (/^\[(?!internal)/.test(name)) return { step: name };
  return addressOf(name) === name ? { step: `ADD ${name}` } : {};
}

function push(lines: string[], line: string): void {
  lines.push(line.slice(0, longestLine));
  if (lines.length > keptLines) lines.shift();
}

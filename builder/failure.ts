/** Reads BuildKit's plain progress and says what went wrong, in stable codes. */
import type { BuildFailure } from '../shared/model/build.ts';
import type { BuildFailureCode } from '../shared/model/build-failures.ts';

const keptLines = 25;
const longestLine = 500;

/** Follows a build line by line. */
export class BuildProgress {
  readonly #steps = new Map<string, { name: string; lines: string[] }>();
  #failed: { step: string; message: string } | undefined;
  /** Lines outside of any step: BuildKit's last words. */
  readonly #outside: string[] = [];
  readonly #hasFiles: boolean;

  /** `hasFiles`: whether there is a context to copy from. */
  constructor(hasFiles: boolean) {
    this.#hasFiles = hasFiles;
  }

  take(line: string): void {
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
      this.#failed ??= { step: number, message: error };
  }

  /** What the build failed of, once it has. */
  failure(): BuildFailure {
    const step = this.#failed && this.#steps.get(this.#failed.step);
    const last =
      this.#outside.findLast((line) => /^(ERROR: )?failed to |^ERROR: /.test(line)) ?? this.#outside.at(-1);
    const message = plain(this.#failed?.message ?? last ?? 'docker build failed without a word.');
    const name = step?.name ?? '';
    const exitCode = exitCodeOf(message);
    const lines = step && step.lines.length > 0 ? step.lines : this.#outside;
    const inDockerfile = /^\[(?!internal)/.test(name);
    const code = classify(name, message, exitCode, step?.lines ?? []);
    return {
      code,
      message:
        (code === 'file-missing' && fileMissing(name, message, this.#hasFiles)) ||
        describe(name, message, exitCode),
      ...(inDockerfile ? { step: name } : {}),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(lines.length > 0 ? { lastLines: [...lines] } : {}),
    };
  }
}

function push(lines: string[], line: string): void {
  lines.push(line.slice(0, longestLine));
  if (lines.length > keptLines) lines.shift();
}

const plain = (message: string) =>
  message
    .replace(/^ERROR: /, '')
    .replace(/^failed to solve(?: with frontend [\w.]+)?: /, '')
    .replace(/^failed to solve with frontend [\w.]+: /, '')
    .replace(/^failed to create LLB definition: /, '');

function exitCodeOf(message: string): number | undefined {
  const [, code] = /exit code: (\d+)\s*$/.exec(message) ?? [];
  return code === undefined ? undefined : Number(code);
}

/** Nothing where the engine doesn't name the file. */
function fileMissing(step: string, message: string, hasFiles: boolean): string | undefined {
  // Of what ONBUILD copies, the engine says where it has looked for it.
  const [, sought] = /buildkit-mount\d+(\/.*): no such file or directory$/.exec(message) ?? [];
  const [file] = sought === undefined ? (/"[^"]+"(?=:? not found)/.exec(message) ?? []) : [`"${sought}"`];
  if (file === undefined) return undefined;
  // Of a stage or an image: nobody can upload it.
  if (/ --from=|--mount=(\S*,)?from=/.test(step)) return `${file} is not in what it is copied from.`;
  return hasFiles
    ? `${file} is not among the build's files: it has to lie in the archive under exactly this path, and .dockerignore may not exclude it.`
    : `${file} is not there: this build has no files. Upload them, and name the upload in contextUploadId.`;
}

function describe(step: string, message: string, exitCode: number | undefined): string {
  if (exitCode !== undefined && step !== '') return `${step} ended with exit code ${exitCode}.`;
  const unnamed = /^base name \((.*)\) should not be blank/.exec(message)?.[1];
  if (unnamed !== undefined)
    return `FROM ${unnamed} names no image: give its ARG a default value, or buildArgs one under exactly that name.`;
  return message.charAt(0).toUpperCase() + message.slice(1);
}

type RegistryAnswer = 'untrusted' | 'missing' | 'unauthorized' | 'limited' | 'unreachable';

/** What registries and the network say, whichever side of a build hears it: in words, or only with a status. */
const registryAnswers: { words: RegExp; status?: RegExp; answer: RegistryAnswer }[] = [
  { words: /x509: |tls: failed to verify/i, answer: 'untrusted' },
  { words: /toomanyrequests|too many requests|rate limit/i, status: /429/, answer: 'limited' },
  {
    words:
      /access denied|unauthorized|authentication required|no basic auth|denied|forbidden|insufficient_scope/i,
    status: /40[13]/,
    answer: 'unauthorized',
  },
  {
    words:
      /no such host|connection refused|i\/o timeout|handshake timeout|Client\.Timeout|timeout awaiting|timeout exceeded|timed out|tls:|network is unreachable|no route to host|failed to do request|HTTP response to HTTPS client|\bEOF\b/i,
    status: /5\d\d/,
    answer: 'unreachable',
  },
  {
    words: /not found|manifest unknown|name unknown|name_unknown|does not exist/i,
    status: /404/,
    answer: 'missing',
  },
];

const registryAnswer = (message: string) => {
  const said = statusOf(message);
  return registryAnswers.find(({ words, status }) => words.test(message) || status?.test(said))?.answer;
};

/** Empty where the engine tells none. Names of repositories and tags, and amounts, have such numbers in them as well. */
function statusOf(message: string): string {
  const [, beside, behind = ''] =
    /\b(?:status|HTTP)(?: code)?:? (\d{3})\b|\bstatus\b.*?: (\d{3})(?= |$)/i.exec(message) ?? [];
  return beside ?? behind;
}

function classify(
  step: string,
  message: string,
  exitCode: number | undefined,
  lines: string[],
): BuildFailureCode {
  const full = /no space left on device|disk quota exceeded/i;
  if (full.test(message) || (exitCode !== undefined && lines.some((line) => full.test(line))))
    return 'disk-full';
  // The kernel ends a process that needs memory nobody has with SIGKILL.
  if (exitCode === 137) return 'out-of-memory';
  if (exitCode !== undefined) return 'step-failed';
  if (
    /load metadata for|resolve image config for|(\]|^) ?FROM /.test(step) ||
    /failed to resolve source metadata|^pulling from host /i.test(message)
  )
    return baseImageFailure(message);
  if (/^secret .* not found/.test(message)) return 'secret-missing';
  // One that ONBUILD has put off stands there without its number.
  if (/(^|\] )(COPY|ADD) /.test(step) && /not found|no such file/i.test(message)) return 'file-missing';
  // Of a file that a RUN mounts, engines before 23 say no more than the first of these.
  if (/^"[^"]+" not found: not found$|failed to (compute cache key|calculate checksum)/.test(message))
    return 'file-missing';
  if (step === '' && isAboutDockerfile(message)) return 'dockerfile-invalid';
  if (isEngineFault(message)) return 'builder-failed';
  if (step !== '' && !step.startsWith('[internal]')) return 'step-failed';
  return 'builder-failed';
}

/**
 * Whether the engine could not even begin a step, whatever the step is. What it was to run may be in its words, and is
 * left out of them; a program or user that the image doesn't have is the step's own fault.
 */
function isEngineFault(message: string): boolean {
  const said = message.replace(
    /executor failed running \[.*\]|process ".*" did not complete successfully/s,
    '',
  );
  return (
    /failed to create (endpoint|shim task)|could not find bridge|\brpc error\b|failed to set up container networking/.test(
      said,
    ) && !/exec: "|unable to find user|no matching entries/.test(said)
  );
}

/** Said before any step began, by the part that reads the Dockerfile. */
const isAboutDockerfile = (message: string) =>
  /parse error|no instructions|no build stage|unknown instruction|unknown flag|base name|requires (at least|exactly)|circular dependency|failed to parse|invalid|not supported|could not be found|cannot be|max allowed size|empty|must/i.test(
    message,
  );

function baseImageFailure(message: string): BuildFailureCode {
  const answer = registryAnswer(message);
  if (answer === 'untrusted') return 'registry-untrusted';
  if (answer === 'limited') return 'rate-limited';
  if (answer === 'unauthorized') return 'base-image-unauthorized';
  if (answer === 'missing' || /no match for platform/.test(message)) return 'base-image-not-found';
  return 'base-image-unavailable';
}

/** A registry also says `denied` of what it refuses to anybody: a tag that can't be moved, a quota that is used up. */
const isUnauthorized = (message: string) =>
  /unauthorized|not authorized|authentication required|no basic auth|requested access .* denied|permission|insufficient_scope/i.test(
    message,
  ) || /40[13]/.test(statusOf(message));

const isForAnybody = (message: string) => /immutable|already exists|quota|does not exist/i.test(message);

function pushFailureCode(message: string): BuildFailureCode {
  if (/no space left on device/i.test(message)) return 'disk-full';
  const answer = registryAnswer(message);
  if (answer === 'untrusted') return 'registry-untrusted';
  if (answer === 'limited') return 'rate-limited';
  if (answer === 'unreachable' && !isForAnybody(message)) return 'target-unavailable';
  return isUnauthorized(message) ? 'push-unauthorized' : 'push-refused';
}

/** What `docker push` failed of, from its last lines. */
export function pushFailure(uri: string, lines: string[]): BuildFailure {
  const last = lines.findLast((line) => line.trim() !== '') ?? 'docker push failed without a word.';
  return {
    code: pushFailureCode(last),
    message: `${uri} could not be pushed: ${last.slice(0, longestLine)}`,
    lastLines: lines.slice(-keptLines).map((line) => line.slice(0, longestLine)),
  };
}

/** What `docker pull` failed of, from its last lines. */
export function pullFailure(reference: string, lines: string[]): BuildFailure {
  const last = lines.findLast((line) => line.trim() !== '') ?? 'docker pull failed without a word.';
  const codes = {
    untrusted: 'registry-untrusted',
    limited: 'rate-limited',
    unauthorized: 'source-unauthorized',
    missing: 'source-not-found',
    unreachable: 'source-unavailable',
  } as const;
  const answer = /no matching manifest|no match for platform/.test(last) ? 'missing' : registryAnswer(last);
  return {
    code: /no space left on device/i.test(last) ? 'disk-full' : codes[answer ?? 'unreachable'],
    message: `${reference} could not be pulled: ${last.slice(0, longestLine)}`,
    lastLines: lines.slice(-keptLines).map((line) => line.slice(0, longestLine)),
  };
}

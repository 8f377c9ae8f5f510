/** What a build failed of, in stable codes and in a sentence: from the step's name and the engine's words. */
import type { BuildFailureCode } from '../../shared/model/build-failures.ts';
import { isUnreadableLayer, registryAnswer } from './registry-words.ts';
import type { Reason } from './words.ts';

export interface Failed {
  /** The step's name as the engine prints it; empty where it was none. */
  step: string;
  /** As the engine says it, with all that it puts around. */
  message: string;
  reason: Reason;
  /** What the step printed. */
  lines: string[];
}

const full = /no space left on device|disk quota exceeded/i;
const noMemory = /cannot allocate memory/i;

export function classify({ step, message, reason, lines }: Failed): BuildFailureCode {
  const { text, exitCode } = reason;
  if (full.test(text) || (exitCode !== undefined && lines.some((line) => full.test(line))))
    return 'disk-full';
  // The kernel ends a process that needs memory nobody has with SIGKILL.
  if (exitCode === 137 || (exitCode === undefined && noMemory.test(text))) return 'out-of-memory';
  if (exitCode !== undefined) return 'step-failed';
  if (isUnreadableLayer(text)) return 'base-image-unreadable';
  if (isAboutBaseImage(step, text)) return baseImageFailure(text);
  if (missingSecretIn(text) !== undefined) return 'secret-missing';
  if (isMissingFile(step, message)) return 'file-missing';
  if (addressOf(step) !== undefined) return 'download-failed';
  if (step === '' && isAboutDockerfile(text)) return 'dockerfile-invalid';
  if (isEngineFault(message, text)) return 'builder-failed';
  if (step !== '' && !step.startsWith('[internal]')) return 'step-failed';
  return 'builder-failed';
}

/** Images are pulled when they are looked up, when they are first used, and with the containerd store when all is built. */
const isAboutBaseImage = (step: string, text: string) =>
  /load metadata for|resolve image config for|(\]|^) ?FROM /.test(step) ||
  /failed to resolve source metadata|^pulling from host |httpReadSeeker|could not fetch content descriptor/i.test(
    text,
  );

function baseImageFailure(text: string): BuildFailureCode {
  const answer = registryAnswer(text);
  if (answer === 'untrusted') return 'registry-untrusted';
  if (answer === 'limited') return 'rate-limited';
  if (answer === 'unauthorized') return 'base-image-unauthorized';
  if (answer === 'missing' || /no match for platform/.test(text)) return 'base-image-not-found';
  return 'base-image-unavailable';
}

const missingSecretIn = (text: string) => /^secret (\S+?):? not found/.exec(text)?.[1];

function isMissingFile(step: string, message: string): boolean {
  // Of a file that a RUN mounts, engines before 23 say no more than the first of these.
  if (/"[^"]+" not found: not found$|failed to calculate checksum/.test(message)) return true;
  // One that ONBUILD has put off stands there without its number.
  return (
    /(^|\] )(COPY|ADD) /.test(step) &&
    addressOf(step) === undefined &&
    /not found|no such file/i.test(message)
  );
}

/** What ADD was to fetch. Engines before 23 name such a step after its address. */
export function addressOf(step: string): string | undefined {
  const source =
    /^(?:(?:\[[^\]]*\] )?ADD(?: .*?)?[\s"])?((?:(?:https?|ftp|git|ssh):\/\/|git@)[^\s",]+)/i.exec(step);
  return source?.[1];
}

/**
 * Whether the engine could not even begin a step, whatever the step is. What a command printed or was to run is no
 * word of the engine's; a program or user that the image doesn't have is the step's own fault.
 */
const isEngineFault = (message: string, text: string) =>
  (/failed to create (endpoint|shim task)|could not find bridge|failed to set up container networking/.test(
    text,
  ) ||
    /^(?:ERROR: |failed to solve: )*rpc error\b/.test(message)) &&
  !/exec: "|unable to find user|no matching entries/.test(text);

/** Said before any step began, by the part that reads the Dockerfile. */
const isAboutDockerfile = (text: string) =>
  /parse error|no instructions|no build stage|unknown instruction|unknown flag|base name|requires (at least|exactly)|circular dependency|failed to parse|invalid|not supported|could not be found|cannot be|max allowed size|empty|must/i.test(
    text,
  );

/** `hasFiles`: whether there is a context to copy from. */
export function describe(code: BuildFailureCode, failed: Failed, hasFiles: boolean): string {
  const { step, message, reason } = failed;
  const { text, exitCode } = reason;
  if (exitCode !== undefined && step !== '') return `${step} ended with exit code ${exitCode}.`;
  const told =
    (code === 'file-missing' && fileMissing(step, message, text, hasFiles)) ||
    (code === 'download-failed' && downloadFailed(addressOf(step) ?? '', text)) ||
    (code === 'secret-missing' && secretMissing(step, text));
  if (told) return told;
  const unnamed = /^base name \((.*)\) should not be blank/.exec(text)?.[1];
  if (unnamed !== undefined)
    return `FROM ${unnamed} does not name an image. Give its ARG a default value, or set that name in buildArgs.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Nothing where the engine doesn't name the file. */
function fileMissing(step: string, message: string, text: string, hasFiles: boolean): string | undefined {
  // Of what another image was to have, the engine says where it has looked for it.
  const [, sought] = /^(?:l?stat|open) (\/.*): no such file or directory$/.exec(text) ?? [];
  const [file] = sought === undefined ? (/"[^"]+"(?=:? not found)/.exec(message) ?? []) : [`"${sought}"`];
  if (file === undefined) return undefined;
  // Of a stage or an image: nobody can upload it.
  if (/ --from=|--mount=(\S*,)?from=/.test(step))
    return `${file} does not exist in the stage or image that COPY --from names.`;
  return hasFiles
    ? `${file} is not in the context. The archive must contain exactly this path, and .dockerignore must not exclude it.`
    : `${file} is missing because this build has no context. Upload one and name it in contextUploadId.`;
}

function downloadFailed(address: string, text: string): string {
  const [, status] = /invalid response status (\d+)/.exec(text) ?? [];
  if (status !== undefined) return `ADD could not fetch ${address}: the server answered ${status}.`;
  const [, found, wanted] = /^digest mismatch (\S+): (\S+)/.exec(text) ?? [];
  if (found !== undefined) return `ADD fetched ${address}, but its digest is ${found} and not ${wanted}.`;
  return `ADD could not fetch ${address}: ${text.replace(/^(?:Get|Head) "[^"]*": /, '')}.`;
}

const secretMissing = (step: string, text: string) =>
  `${step} mounts the secret "${missingSecretIn(text)}", which the build's \`secrets\` does not list.`;

/** Runs one command of a buildspec as a process group of its own. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalGroup } from './processes.ts';

export interface CommandPlace {
  shell: string;
  /** Holds what a command leaves to the next one: exported variables and the working directory. */
  stateFolder: string;
  workingFolder: string;
  /** The build's environment; nothing else of this process's. */
  environment: Record<string, string>;
}

export interface CommandHooks {
  onLines(lines: string[]): void;
  /** Has the group ended should this process die; in force before the command's first instruction. */
  guardProcess(pid: number, scope: 'group'): () => void;
  /** Ends the command: SIGTERM to its group, SIGKILL two seconds later. */
  signal: AbortSignal;
}

const graceMs = 2000;
const drainMs = 500;

/**
 * The shell waits for a line before it does anything: it comes once the process is guarded, and never if this
 * process has died in between. Files have the modes that CodeBuild's host would give them, since they come into images;
 * the build's folder is closed to others. What the command exports, and where it changes to, is there for the next command.
 */
const prelude = `read -r go || exit 1
umask 022
exec </dev/null 2>&1
[ -f "$SLIPWAY_BUILD_STATE/variables" ] && . "$SLIPWAY_BUILD_STATE/variables"
[ -f "$SLIPWAY_BUILD_STATE/folder" ] && cd "$(cat "$SLIPWAY_BUILD_STATE/folder")"
trap 'code=$?; export -p >"$SLIPWAY_BUILD_STATE/variables"; pwd >"$SLIPWAY_BUILD_STATE/folder"; exit $code' EXIT
`;

/**
 * Resolves with the exit code when the command has ended and nothing of its group is left. A command ended by a
 * signal counts as 128 and more, as shells count.
 */
export function runCommand(
  command: string,
  succeeding: boolean,
  place: CommandPlace,
  hooks: CommandHooks,
): Promise<number> {
  const script = `${prelude}export CODEBUILD_BUILD_SUCCEEDING=${succeeding ? 1 : 0}\n${command}\n`;
  const child = spawn(place.shell, ['-c', script], {
    cwd: place.workingFolder,
    env: { ...place.environment, SLIPWAY_BUILD_STATE: place.stateFolder },
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    const { pid } = child;
    if (pid === undefined) return;
    const release = hooks.guardProcess(pid, 'group');
    let killing: NodeJS.Timeout | undefined;
    const abort = () => {
      signalGroup(pid, 'SIGTERM');
      killing = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
    };
    if (hooks.signal.aborted) abort();
    else hooks.signal.addEventListener('abort', abort, { once: true });
    const split = lineSplitter();
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = split(chunk);
      if (lines.length > 0) hooks.onLines(lines);
    });
    // The shell is the command: what else it started ends with it, and output is waited for only shortly where
    // something has left the group and still holds it.
    let draining: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      signalGroup(pid, 'SIGKILL');
      draining = setTimeout(() => child.stdout.destroy(), drainMs);
    });
    child.once('close', (code, signalName) => {
      clearTimeout(killing);
      clearTimeout(draining);
      hooks.signal.removeEventListener('abort', abort);
      release();
      const rest = split(Buffer.from('\n'));
      if (rest.length > 0 && rest[0] !== '') hooks.onLines(rest);
      resolve(code ?? (signalName === 'SIGTERM' ? 143 : 137));
    });
    child.stdin.on('error', () => undefined); // A shell that is already gone reports itself by its exit code.
    child.stdin.end('go\n');
  });
}

/** Values that the commands have exported, of these names. */
export function exportedVariables(stateFolder: string, names: string[]): { name: string; value: string }[] {
  const file = join(stateFolder, 'variables');
  if (names.length === 0 || !existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return names.flatMap((name) => {
    const match = new RegExp(
      `^(?:export|declare -x) ${name}=(?:'((?:[^']|'"'"'|'\\\\'')*)'|"((?:[^"\\\\]|\\\\.)*)")$`,
      'm',
    ).exec(text);
    if (!match) return [];
    const value = match[1]?.replace(/'"'"'|'\\''/g, "'") ?? match[2]?.replace(/\\(.)/g, '$1') ?? '';
    return [{ name, value }];
  });
}

function lineSplitter(): (chunk: Buffer) => string[] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(0x0a);
    rest = Buffer.from(bytes.subarray(end + 1));
    if (end < 0) return [];
    return bytes.toString('utf8', 0, end).split(/\r?\n/);
  };
}

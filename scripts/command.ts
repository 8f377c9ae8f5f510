/** Runs programs for the scripts: output is kept, its last line can be shown while it runs. */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Text for standard input. */
  input?: string;
  /** Called with each line of standard output and standard error as it appears. */
  onLine?: (line: string) => void;
  timeoutSeconds?: number;
  signal?: AbortSignal;
}

/** The program ended with another code than 0, was killed, or could not be started. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly output: string;
  constructor(command: string, outcome: string, output: string) {
    const last = output.trim().split('\n').slice(-3).join(' / ');
    super(`${command}: ${outcome}${last === '' ? '' : `: ${last}`}`);
    this.output = output;
  }
}

/** Runs `command` and returns its standard output. Throws `CommandError` unless it ends with code 0. */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const shown = [command, ...args].join(' ').slice(0, 120);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutSeconds === undefined ? undefined : options.timeoutSeconds * 1000,
      signal: options.signal,
    });
    let stdout = '';
    let both = '';
    let partial = '';
    const collect = (chunk: string) => {
      both = (both + chunk).slice(-100_000);
      const lines = (partial + chunk).split(/[\r\n]+/);
      partial = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') options.onLine?.(line.trim());
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      collect(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', collect);
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.once('error', (error) => reject(new CommandError(shown, error.message, '')));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else
        reject(new CommandError(shown, signal === null ? `exit code ${code}` : `ended by ${signal}`, both));
    });
  });
}

/** Whether `command` runs and ends with code 0. */
export async function succeeds(
  command: string,
  args: string[],
  options: CommandOptions = {},
): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

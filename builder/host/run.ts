import { spawn } from 'node:child_process';

export interface Ran {
  exitCode: number;
  /** Standard output and error, as they came. */
  output: string;
}

/** Runs a program of the host to its end. */
export type Run = (program: string, args: string[]) => Promise<Ran>;

export const run: Run = (program, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });

/** Docker's command line client: finding one that can build with BuildKit, and running it. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BuildError } from './build-error.ts';
import { lineSplitter } from './output.ts';

export interface Docker {
  /** Runs `docker` with these arguments, until `signal` has it stopped; resolves to its exit code. */
  run(args: string[], onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
}

/** `config` is the folder of its configuration: no credentials of the machine's user are used. */
export function createDocker(client: string, config: string): Docker {
  const env = {
    ...process.env,
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: '1',
    // An attestation would make every image an index.
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
    DOCKER_CLI_HINTS: 'false',
  };
  return { run: (args, onLine, signal) => run(client, args, env, onLine, signal) };
}

/** The client takes its work back before it ends; one that hangs loses its connection, and the engine gives up. */
const patienceMs = 5000;

function run(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
  signal?: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    signal?.addEventListener('abort', () => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
    });
    for (const stream of [child.stdout, child.stderr]) {
      const lines = lineSplitter(onLine);
      stream.on('data', (chunk: Buffer) => lines.write(chunk));
      stream.on('end', () => lines.end());
    }
    child.once('error', reject);
    child.once('close', (code, ended) => resolve(code ?? (ended ? 128 : 1)));
  });
}

/**
 * A client that can really build with BuildKit: the one that `SLIPWAY_DOCKER` names, or the first on the path that
 * has buildx, or is so old that it brings BuildKit itself. A newer one without the buildx plugin cannot.
 */
export async function findDocker(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.SLIPWAY_DOCKER) return env.SLIPWAY_DOCKER;
  for (const client of candidates(env.PATH ?? '')) {
    if ((await quietly(client, ['buildx', 'version'])).code === 0) return client;
    const version = /Docker version (\d+)\./.exec((await quietly(client, ['--version'])).output);
    if (version && Number(version[1]) < 23) return client;
  }
  throw new BuildError({
    code: 'builder-failed',
    message: 'No Docker client on this host can build with BuildKit. Install the buildx plugin.',
  });
}

function candidates(path: string): string[] {
  const found = [...path.split(delimiter), '/usr/local/bin', '/usr/bin']
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, 'docker'))
    .filter(isProgram);
  return [...new Set(found)];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to run: the next one may be.
    return false;
  }
}

async function quietly(program: string, args: string[]): Promise<{ code: number; output: string }> {
  let output = '';
  const code = await run(program, args, process.env, (line) => {
    output += `${line}\n`;
  });
  return { code, output };
}

/** Containers of a check: bounded in time and size, and gone afterwards whatever becomes of the builder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lineSplitter } from '../output.ts';

export interface Finished {
  exitCode: number;
  lines: string[];
  timedOut: boolean;
}

export interface Engine {
  /** Runs `docker` with these arguments, for at most `seconds`; standard output and error as lines. */
  run(args: string[], seconds?: number): Promise<Finished>;
  /** Removes containers, and what else the check has left in the engine. */
  end(): Promise<void>;
}

const mostLines = 2000;
const longestLine = 2000;
const commandSeconds = 30;

/**
 * `containers` are the names of all that the check may start, `image` what is to go with them. A process outside of
 * the builder's group waits for the end of this one, by whatever signal, and removes them: a stopped job leaves
 * nothing behind. The second round is for what the engine was just making at the first.
 */
export function createEngine(
  client: string,
  config: string,
  containers: string[],
  image: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Engine {
  const env = { ...environment, DOCKER_CONFIG: config };
  const guard = spawn(
    '/bin/sh',
    [
      '-c',
      'cat >/dev/null; client=$1; image=$2; shift 2; "$client" rm -f -v "$@"; sleep 1; "$client" rm -f -v "$@"; [ -z "$image" ] || "$client" rmi "$image"',
      'guard',
      client,
      image ?? '',
      ...containers,
    ],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: engineOnly(environment) },
  );
  guard.unref();
  return {
    run([command = '', ...args], seconds = commandSeconds) {
      const labels = command === 'run' ? labelsOf(environment, image) : [];
      return run(client, [command, ...labels, ...args], env, seconds);
    },
    async end() {
      guard.ref();
      const ended = once(guard, 'close');
      guard.stdin.end();
      await ended;
    },
  };
}

/** By these CodeBuild's host finds what a job has left behind whose processes were all killed, the guard included. */
function labelsOf({ CODEBUILD_BUILD_ID }: NodeJS.ProcessEnv, image: string | undefined): string[] {
  if (!CODEBUILD_BUILD_ID) return [];
  const labels = [`com.amazonaws.codebuild.build-id=${CODEBUILD_BUILD_ID}`];
  if (image) labels.push(`com.amazonaws.codebuild.fetched-image=${image}`);
  return labels.flatMap((label) => ['--label', label]);
}

/** What says where the engine is; nothing by which the guard would be taken for a part of the job. */
function engineOnly(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function run(client: string, args: string[], env: NodeJS.ProcessEnv, seconds: number): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(client, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    for (const stream of [child.stdout, child.stderr]) {
      const split = lineSplitter((line) => {
        if (lines.length < mostLines) lines.push(line.slice(0, longestLine));
      });
      stream?.on('data', (chunk: Buffer) => split.write(chunk));
      stream?.on('end', () => split.end());
    }
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? 137, lines, timedOut });
    });
  });
}

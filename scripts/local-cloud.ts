/** The embedded cloud seen from outside: its `local.json`, whether it runs, starting and ending it as a child. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { type Detail, say } from './progress.ts';

/** What a running embedded cloud writes into `local.json`. */
export interface LocalCloud {
  apiUrl: string;
  /** A Slipway token of the first organisation's first admin. */
  token: string;
  endpointUrl: string;
  /** Host and port of the container registry behind ECR. */
  registryHost: string;
  region: string;
  accountId: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Absent for the operator's own keys. */
  sessionToken?: string;
  pid: number;
}

export const repositoryRoot = resolve(import.meta.dirname, '..');

/** The state directory: `SLIPWAY_HOME`, or `.slipway` in the working directory. Absolute. */
export const stateDirectory = (): string => resolve(process.env.SLIPWAY_HOME ?? '.slipway');

/** Configuration of an AWS SDK client that talks to the embedded cloud as its operator. */
export const awsConfiguration = (cloud: LocalCloud) => ({
  region: cloud.region,
  endpoint: cloud.endpointUrl,
  credentials: {
    accessKeyId: cloud.accessKeyId,
    secretAccessKey: cloud.secretAccessKey,
    ...(cloud.sessionToken === undefined ? {} : { sessionToken: cloud.sessionToken }),
  },
});

const localCloud: z.ZodType<LocalCloud> = z.object({
  apiUrl: z.url(),
  token: z.string(),
  endpointUrl: z.url(),
  registryHost: z.string(),
  region: z.string(),
  accountId: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string().optional(),
  pid: z.int().positive(),
});

/** Nothing, and a line that says so, for a file that isn't whole: the next start writes it anew. */
function readLocalCloud(file: string, report: (line: string) => void): LocalCloud | undefined {
  try {
    return localCloud.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message;
    report(`${file} can't be read (${reason}): the next start of Slipway writes it anew.`);
    return undefined;
  }
}

/** The embedded cloud of this state directory, if it runs and answers. */
export async function findLocalCloud(home: string, report = say): Promise<LocalCloud | undefined> {
  const file = join(home, 'local.json');
  if (!existsSync(file)) return undefined;
  const cloud = readLocalCloud(file, report);
  if (!cloud) return undefined;
  try {
    process.kill(cloud.pid, 0);
    const answer = await fetch(`${cloud.apiUrl}/v1/health`, { signal: AbortSignal.timeout(10_000) });
    return answer.ok ? cloud : undefined;
  } catch {
    // The file outlives a cloud that was killed.
    return undefined;
  }
}

export interface RunningCloud {
  cloud: LocalCloud;
  /** Ends the process that was started; does nothing where the cloud ran before. */
  stop(): Promise<void>;
  startedHere: boolean;
}

/** Uses the embedded cloud that runs in `home`, or starts one (`node local/main.ts`) and waits until it answers. */
export async function ensureLocalCloud(
  home: string,
  detail: Detail,
  signal?: AbortSignal,
): Promise<RunningCloud> {
  const running = await findLocalCloud(home);
  if (running) return { cloud: running, startedHere: false, stop: async () => {} };
  // Its own process group: Ctrl-C reaches only us, and we end it in order.
  const child = spawn(process.execPath, [join(repositoryRoot, 'local/main.ts')], {
    env: { ...process.env, SLIPWAY_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let lastLines: string[] = [];
  const read = (chunk: string) => {
    for (const line of chunk.split('\n')) {
      if (line.trim() === '') continue;
      lastLines = [...lastLines.slice(-20), line.trim()];
      detail(line.trim());
    }
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  try {
    const cloud = await answers(child, home, () => lastLines, signal);
    return { cloud, startedHere: true, stop: () => end(child) };
  } catch (error) {
    await end(child);
    throw error;
  }
}

async function answers(
  child: ChildProcess,
  home: string,
  lastLines: () => string[],
  signal?: AbortSignal,
): Promise<LocalCloud> {
  const until = performance.now() + 120_000;
  while (performance.now() < until) {
    signal?.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `The embedded cloud did not start: ${lastLines().join('\n  ') || `exit code ${child.exitCode}`}`,
      );
    const cloud = await findLocalCloud(home, () => {});
    if (cloud !== undefined && cloud.pid === child.pid) return cloud;
    await sleep(100);
  }
  throw new Error(
    `The embedded cloud does not answer after 2 minutes: ${lastLines().at(-1) ?? 'it printed nothing'}`,
  );
}

/** SIGTERM, then SIGKILL for one that doesn't end within ten seconds. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(late);
}

/**
 * Restarts the container engine of a build host that is ours alone (CodeBuild's) with the settings that builds want.
 * Nothing here is ever done to a machine that somebody else uses.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unclippedLogs } from '../../shared/build/engine-log.ts';
import { say } from '../output.ts';
import { run as runProgram } from './run.ts';

export interface EngineHost {
  /** File with the process id of the daemon. */
  pid: string;
  config: string;
  /** Started where no daemon runs whose command line could be repeated. */
  daemon: string;
  /** What the daemon prints. */
  log: string;
  waitSeconds: number;
}

const codeBuild: EngineHost = {
  pid: '/var/run/docker.pid',
  config: '/etc/docker/daemon.json',
  daemon: 'dockerd',
  log: '/var/log/slipway-dockerd.log',
  waitSeconds: 60,
};

export interface EngineSettings {
  /** The store without which buildx can't export a registry cache. */
  containerdStore: boolean;
}

/**
 * Restarts the daemon without BuildKit's limits on a step's log and, where that is asked for, with the containerd image
 * store. Where the daemon doesn't start that way, it is started again as it was: the build goes on with the inline
 * cache, and with a clipped log. Throws where no engine answers in the end.
 */
export async function restartEngine(
  client: string,
  { containerdStore }: EngineSettings,
  host: EngineHost = codeBuild,
): Promise<void> {
  const command = await commandOf(host);
  const version = (await runProgram(client, ['version', '--format', '{{.Server.Version}}'])).output.trim();
  const before = await readFile(host.config, 'utf8').catch(() => undefined);
  try {
    if (containerdStore) await writeConfig(host.config, withContainerdStore(before));
    await stopDaemon(host);
    const args = containerdStore ? withoutStorageDriver(command) : command;
    await startDaemon(client, args, { ...process.env, ...unclippedLogs(version) }, host);
  } catch (error) {
    say(`the builder could not configure the engine, so it starts it as it was: ${(error as Error).message}`);
    if (before === undefined) await rm(host.config, { force: true }).catch(() => undefined);
    else await writeFile(host.config, before);
    if (!(await answers(client))) await startDaemon(client, command, process.env, host);
  }
}

/** What runs now, word by word: it may listen where the build's client is told to look for it. */
async function commandOf(host: EngineHost): Promise<string[]> {
  const pid = await pidOf(host);
  const command = pid > 0 ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
  const words = command.split('\0').slice(0, -1);
  return /(^|\/)dockerd$/.test(words[0] ?? '') ? words : [host.daemon];
}

const pidOf = async ({ pid }: EngineHost) => Number(await readFile(pid, 'utf8').catch(() => '')) || 0;

/** Keeps what else is configured, such as the runtime of GPUs. Throws for what is no JSON object. */
function withContainerdStore(before: string | undefined): string {
  const settings = JSON.parse(before?.trim() || '{}') as { features?: object };
  return JSON.stringify({ ...settings, features: { ...settings.features, 'containerd-snapshotter': true } });
}

/** CodeBuild's image has no `/etc/docker`. */
async function writeConfig(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** The containerd store has drivers of other names, and refuses `overlay2`. */
const withoutStorageDriver = (command: string[]) =>
  command.filter(
    (word, index) =>
      !/^(--storage-driver|-s)(=|$)/.test(word) && !/^(--storage-driver|-s)$/.test(command[index - 1] ?? ''),
  );

async function stopDaemon(host: EngineHost): Promise<void> {
  const pid = await pidOf(host);
  if (pid === 0 || !(await isAlive(pid))) return;
  process.kill(pid, 'SIGTERM');
  await until(async () => !(await isAlive(pid)), host.waitSeconds, 'the Docker daemon to end');
}

const answers = async (client: string) => (await runProgram(client, ['version'])).exitCode === 0;

async function startDaemon(
  client: string,
  [program = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
  host: EngineHost,
): Promise<void> {
  const log = openSync(host.log, 'w', 0o600);
  const daemon = spawn(program, args, { stdio: ['ignore', log, log], detached: true, env });
  closeSync(log);
  let failed: Error | undefined;
  daemon.once('error', (error) => {
    failed = error;
  });
  daemon.once('exit', (code) => {
    failed ??= new Error(`the Docker daemon ended with exit code ${code}`);
  });
  daemon.unref();
  try {
    await until(
      async () => {
        // The one that was there may still answer: it builds too, with another cache.
        if (await answers(client)) return true;
        if (failed) throw failed;
        return false;
      },
      host.waitSeconds,
      'the Docker daemon to start',
    );
  } catch (error) {
    // One that hangs would be in the way of the next.
    if (!failed && daemon.kill('SIGTERM'))
      await until(async () => failed !== undefined, host.waitSeconds, 'it to end').catch(() =>
        daemon.kill('SIGKILL'),
      );
    const said = (await readFile(host.log, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`${(error as Error).message}${said ? `; it said:\n${said}` : ''}`, { cause: error });
  }
}

/** One that has ended and that its parent hasn't asked about still has its number, and answers signals. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // It ended before it was asked about, or while.
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  });
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

async function until(reached: () => Promise<boolean>, seconds: number, what: string): Promise<void> {
  const over = performance.now() + seconds * 1000;
  for (;;) {
    if (await reached()) return;
    if (performance.now() > over) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(200);
  }
}

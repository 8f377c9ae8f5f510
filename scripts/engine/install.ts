/** Installs Debian's container engine and starts one that is installed. Only ever adds; never stops or removes. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unclippedLogs } from '../../shared/build/engine-log.ts';
import { CommandError, run, succeeds } from '../command.ts';
import type { Detail } from '../progress.ts';
import { commandsOnPath, type FoundEngine, findEngine } from './find.ts';

export const isRoot = (): boolean => process.getuid?.() === 0;
export const hasApt = (): boolean => existsSync('/usr/bin/apt-get');

const LOCK_TIMEOUT_SECONDS = 300;
const APT = { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } };

/** Installs Debian packages; those marked optional only where the release has them. */
export async function installPackages(required: string[], optional: string[], detail: Detail): Promise<void> {
  await apt(['update', '-q'], detail);
  const packages = [...required];
  for (const name of optional)
    if (await succeeds('apt-cache', ['show', '--no-all-versions', name], APT)) packages.push(name);
  await apt(['install', '-y', '-q', '--no-install-recommends', ...packages], detail);
}

/** Waits for whoever else installs something right now: another test, or the machine's own upgrades. */
async function apt(args: string[], detail: Detail): Promise<void> {
  const until = performance.now() + LOCK_TIMEOUT_SECONDS * 1000;
  detail(`apt-get ${args.join(' ')}`);
  for (;;) {
    try {
      await run('apt-get', args, { ...APT, onLine: detail });
      return;
    } catch (error) {
      const locked = error instanceof CommandError && /Could not get lock/.test(error.output);
      if (!locked || performance.now() > until) throw error;
      detail('waiting for another program that is installing packages');
      await sleep(1000);
    }
  }
}

/**
 * The engine as Debian and Ubuntu package it. In newer releases the client and BuildKit's part of it are
 * packages of their own.
 */
export const installEngine = (detail: Detail): Promise<void> =>
  installPackages(['docker.io'], ['docker-cli', 'docker-buildx'], detail);

/** Installed, whether it runs or not. */
export const engineInstalled = (): boolean => commandsOnPath('dockerd').length > 0;

export interface StartedEngine {
  engine: FoundEngine;
  /** The process that we started ourselves; undefined where the machine's service manager did. */
  pid?: number;
}

/** Starts the installed engine: by systemd or its init script where that works, else as a process of its own. */
export async function startEngine(home: string, detail: Detail): Promise<StartedEngine> {
  if (existsSync('/run/systemd/system')) {
    detail('systemctl start docker');
    if (await succeeds('systemctl', ['start', 'docker'], { timeoutSeconds: 60 })) {
      const engine = await answersWithin(15);
      if (engine) return { engine };
    }
  }
  return startProcess(home, detail);
}

async function startProcess(home: string, detail: Detail): Promise<StartedEngine> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const logPath = join(home, 'dockerd.log');
  detail(`dockerd, its log in ${logPath}`);
  const [dockerd = 'dockerd'] = commandsOnPath('dockerd');
  const [, version] = /version ([\d.]+)/.exec(await run(dockerd, ['--version'])) ?? [];
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(dockerd, [], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...process.env, ...unclippedLogs(version) },
  });
  closeSync(log);
  const waiting = new AbortController();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code) => resolve(`exit code ${code}`));
  });
  const outcome = await Promise.race([ended, answersWithin(30, waiting.signal)]);
  waiting.abort();
  child.unref();
  if (typeof outcome === 'object') return { engine: outcome, pid: child.pid };
  const last = readFileSync(logPath, 'utf8').trim().split('\n').at(-1) ?? '';
  throw new Error(
    `dockerd did not start (${outcome ?? 'no answer in 30 s'}): ${last} (whole log: ${logPath})`,
  );
}

async function answersWithin(seconds: number, ended?: AbortSignal): Promise<FoundEngine | undefined> {
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && !ended?.aborted) {
    const { engine } = await findEngine();
    if (engine) return engine;
    await sleep(200);
  }
  return undefined;
}

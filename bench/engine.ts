/**
 * A container engine that has never built anything: a `dockerd` with its own data, bridge and socket, whose data can
 * be thrown away without touching the machine's own engine. Needs root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../scripts/command.ts';
import type { Engine } from '../scripts/engine.ts';

export interface FreshEngine {
  /** As `DOCKER_HOST` spells it; stays the same. */
  host: string;
  /** Throws all of its data away: afterwards it is a machine that has just been bought. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** `engine` is the machine's own, whose programs are used. */
export async function startFreshEngine({ cli }: Pick<Engine, 'cli'>): Promise<FreshEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  const host = `unix://${folder}/docker.sock`;
  const bridge = `slp${folder.slice(-6).toLowerCase()}`;
  // A network that nothing else on the machine is likely to have.
  const address = `10.${200 + (process.pid % 50)}.${Math.floor(Math.random() * 250)}.1/24`;
  await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', address, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  let daemon: ChildProcess | undefined;

  async function start(): Promise<void> {
    daemon = spawn(
      'dockerd',
      [
        ['--data-root', `${folder}/data`],
        ['--exec-root', `${folder}/exec`],
        ['--pidfile', `${folder}/pid`],
        ['--host', host],
        ['--bridge', bridge],
        ['--iptables=false', '--ip-masq=false', '--log-level=error'],
      ].flat(),
      { stdio: 'ignore' },
    );
    for (let attempt = 0; attempt < 150; attempt++) {
      if (daemon.exitCode !== null) throw new Error(`dockerd ended with exit code ${daemon.exitCode}`);
      try {
        await run(cli, ['version'], { env: { DOCKER_HOST: host } });
        return;
      } catch {
        // Not yet.
        await sleep(200);
      }
    }
    throw new Error('dockerd does not answer');
  }

  async function end(): Promise<void> {
    const current = daemon;
    daemon = undefined;
    if (!current || current.exitCode !== null) return;
    const ended = new Promise((done) => current.once('exit', done));
    current.kill();
    await ended;
    // What it had mounted and didn't take down holds its folder.
    const mounts = (await readFile('/proc/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const path of mounts.filter((one) => one.startsWith(folder)).reverse())
      await run('umount', ['-l', path]);
  }

  await start();
  return {
    host,
    async renew() {
      await end();
      await rm(`${folder}/data`, { recursive: true, force: true });
      await start();
    },
    async stop() {
      await end();
      await run('ip', ['link', 'delete', bridge]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

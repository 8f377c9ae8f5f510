/**
 * What is done to a build host that is ours alone (CodeBuild's): Docker's containerd image store, without which
 * buildx cannot export a registry cache, and a wall around the addresses that give out the builder's credentials.
 * Nothing here is ever done to a machine that somebody else uses.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Metadata of EC2, and credentials of tasks and pods. Not their whole network: the host's resolver and clock live
 * there as well. One call of iptables makes a rule of each.
 */
const metadata = '169.254.169.254,169.254.170.2,169.254.170.23';

export type Run = (program: string, args: string[]) => Promise<number>;

/** Runs a program without its output; resolves to its exit code. */
export const runQuietly: Run = (program, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });

async function must(run: Run, program: string, args: string[]): Promise<void> {
  const code = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with exit code ${code}`);
}

/** Restarts Docker's daemon with the containerd image store. */
export async function useContainerdStore(
  client: string,
  run: Run = runQuietly,
  host = {
    pid: '/var/run/docker.pid',
    config: '/etc/docker/daemon.json',
    daemon: 'dockerd',
    log: '/var/log/slipway-dockerd.log',
  },
): Promise<void> {
  const pid = Number(await readFile(host.pid, 'utf8').catch(() => ''));
  if (pid > 0) {
    process.kill(pid, 'SIGTERM');
    await until(async () => !(await isAlive(pid)), 'the Docker daemon to end');
  }
  await writeFile(host.config, JSON.stringify({ features: { 'containerd-snapshotter': true } }));
  const log = openSync(host.log, 'w', 0o600);
  const daemon = spawn(host.daemon, [], { stdio: ['ignore', log, log], detached: true });
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
    await until(async () => {
      // The one that was there may still answer: it builds too, with another cache.
      if ((await run(client, ['version'])) === 0) return true;
      if (failed) throw failed;
      return false;
    }, 'the Docker daemon to start');
  } catch (error) {
    const said = (await readFile(host.log, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`${(error as Error).message}${said ? `; it said:\n${said}` : ''}`, { cause: error });
  }
}

/** No container of a build reaches the metadata addresses, from now on. */
export const shieldContainers = (run: Run = runQuietly) =>
  must(run, 'iptables', ['-I', 'DOCKER-USER', '-d', metadata, '-j', 'REJECT']);

/**
 * Nor does anything on the host, BuildKit's own `ADD http://…` included, while a build runs. The builder holds what
 * it needs by then, and lifts this before it talks to AWS again.
 */
export const shieldHost = (run: Run = runQuietly) =>
  must(run, 'iptables', ['-I', 'OUTPUT', '-d', metadata, '-j', 'REJECT']);
export const unshieldHost = (run: Run = runQuietly) =>
  must(run, 'iptables', ['-D', 'OUTPUT', '-d', metadata, '-j', 'REJECT']);

/** One that has ended and that its parent hasn't asked about still has its number, and answers signals. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // It ended before it was asked about, or while.
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  });
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

async function until(reached: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (await reached()) return;
    await sleep(200);
  }
  throw new Error(`waited 30 s for ${what}`);
}

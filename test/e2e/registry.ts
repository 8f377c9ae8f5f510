/** A second real registry: CNCF distribution, Debian's `docker-registry`, with or without basic authentication. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../scripts/command.ts';
import { freePorts } from './ports.ts';

export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  host: string;
  /** Where it keeps its blobs. */
  folder: string;
  stop(): Promise<void>;
}

const program = '/usr/bin/docker-registry';

/**
 * Everybody may pull and push, or only who has these credentials; `configured` is added to the registry's own
 * configuration (`auth`, `storage`), `tls` to its `http`.
 */
export async function startRegistry(
  account?: { username: string; password: string },
  {
    tls,
    ...configured
  }: { tls?: { certificate: string; key: string }; auth?: object; storage?: object } = {},
): Promise<TestRegistry> {
  await access(program).catch(() =>
    run('apt-get', ['install', '--yes', '--no-install-recommends', 'docker-registry']),
  );
  const folder = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const host = `127.0.0.1:${await freePorts()}`;
  const configuration: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'error' },
    storage: {
      filesystem: { rootdirectory: folder },
      delete: { enabled: true },
      ...configured.storage,
    },
    http: { addr: host, ...(tls ? { tls } : {}) },
    ...(configured.auth ? { auth: configured.auth } : {}),
  };
  if (account) {
    const path = join(folder, 'htpasswd');
    await writeFile(path, `${account.username}:${await bcrypt(account.password)}\n`);
    configuration.auth = { htpasswd: { realm: 'test', path } };
  }
  // JSON is YAML too.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration));
  const child = spawn(program, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  for (let attempt = 0; !(await answers(host)); attempt++) {
    if (child.exitCode !== null || attempt > 100) throw new Error(`${program} does not answer at ${host}`);
    await sleep(100);
  }
  return {
    host,
    folder,
    async stop() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).status > 0;
  } catch {
    // Not yet.
    return false;
  }
}

/** Perl is part of every Debian, and its `crypt` is the C library's. */
async function bcrypt(password: string): Promise<string> {
  const script = 'print crypt($ARGV[0], q($2y$05$SlipwayTestRegistrySau))';
  return (await run('perl', ['-e', script, password])).trim();
}

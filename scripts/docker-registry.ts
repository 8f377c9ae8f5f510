/** The CNCF distribution registry, as Debian packages it: a second registry for tests and benchmarks. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { commandsOnPath } from './engine/find.ts';
import { installPackages } from './engine/install.ts';
import { freePorts } from './ports.ts';

export interface DockerRegistry {
  /** `127.0.0.1:<port>` */
  host: string;
  /** What it was asked so far over HTTP without TLS: one line of its log for each request. */
  requests(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Only who has it may pull and push; left out, everybody may. */
  account?: { username: string; password: string };
  /** Paths of PEM files; left out, it is plain HTTP. */
  tls?: { certificate: string; key: string };
  /** Added to the registry's own configuration. */
  auth?: object;
  storage?: object;
}

/** Of requests that only wait for the log. */
const markPath = '/v2/mark-';

/** Installs it where it is missing. */
export async function startDockerRegistry({
  account,
  tls,
  auth,
  storage,
}: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  if (commandsOnPath('docker-registry').length === 0)
    await installPackages(['docker-registry'], [], () => {});
  const folder = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const host = `127.0.0.1:${await freePorts()}`;
  const htpasswd = { realm: 'test', path: join(folder, 'htpasswd') };
  if (account) await writeFile(htpasswd.path, `${account.username}:${await bcrypt(account.password)}\n`);
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: true },
      ...storage,
    },
    http: { addr: host, ...(tls ? { tls } : {}) },
    ...(account || auth ? { auth: { ...auth, ...(account ? { htpasswd } : {}) } } : {}),
  };
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration));
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
    });
  const ended = once(child, 'exit');
  for (let attempt = 0; ; attempt++) {
    if (await answers(host)) break;
    if (attempt > 600 || child.exitCode !== null) throw new Error(`docker-registry did not start: ${log}`);
    await sleep(100);
  }
  return {
    host,
    async requests() {
      // A line may be written after its answer was read, but not after those of two more requests.
      for (let i = 0; i < 2; i++) {
        const mark = `${markPath}${randomUUID()}/tags/list`;
        await (await fetch(`http://${host}${mark}`)).text();
        while (!log.includes(`${mark} `)) await sleep(10);
      }
      const lines = log.slice(0, log.lastIndexOf('\n')).split('\n');
      return lines.filter((line) => / "[A-Z]+ \/v2\//.test(line) && !line.includes(markPath));
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).status < 500;
  } catch {
    // Not listening yet.
    return false;
  }
}

/** Perl is part of every Debian, and its `crypt` is the C library's. */
async function bcrypt(password: string): Promise<string> {
  const script = 'print crypt($ARGV[0], q($2y$05$SlipwayTestRegistrySau))';
  return (await run('perl', ['-e', script, password])).trim();
}

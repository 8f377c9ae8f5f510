/** The CNCF distribution registry, as Debian packages it: a second registry for tests and benchmarks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandsOnPath } from './engine/find.ts';
import { installPackages } from './engine/install.ts';

export interface DockerRegistry {
  /** `127.0.0.1:<port>`, plain HTTP. */
  host: string;
  /** What it has logged so far: one line for each request. */
  requests(): string[];
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Content of an htpasswd file (bcrypt); without it everybody may do everything. */
  htpasswd?: string;
}

/** Installs it where it is missing. */
export async function startDockerRegistry({ htpasswd }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  if (commandsOnPath('docker-registry').length === 0)
    await installPackages(['docker-registry'], [], () => {});
  const folder = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'htpasswd'), htpasswd ?? '');
  const auth = htpasswd ? { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } : undefined;
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    ...(auth ? { auth } : {}),
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
    if (attempt > 100 || child.exitCode !== null) throw new Error(`docker-registry did not start: ${log}`);
    await sleep(100);
  }
  return {
    host,
    requests: () => log.split('\n').filter((line) => / "[A-Z]+ \/v2\//.test(line)),
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Finding a container engine on machines that are set up in other ways than this one. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CommandError, run } from '../../scripts/command.ts';

let folder: string;
let servers: Server[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Something that answers on a socket: `version` as an engine, undefined as a web server that is none. */
async function listenOn(socketPath: string, version: object | undefined): Promise<void> {
  const server = createServer((_, answer) => answer.end(version ? JSON.stringify(version) : '<html>'));
  servers.push(server);
  await new Promise<void>((ready) => server.listen(socketPath, ready));
}

async function executable(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** `node scripts/engine.ts` as a user runs it; its one line, and whether it succeeded. */
async function findEngine(env: Record<string, string>): Promise<{ ok: boolean; output: string }> {
  try {
    return {
      ok: true,
      output: await run(process.execPath, ['scripts/engine.ts'], {
        env: { HOME: folder, SLIPWAY_DOCKER: '', ...env },
      }),
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ok: false, output: error.output.trim() };
  }
}

it('an engine that DOCKER_HOST names is used with the client that can build', async () => {
  const socketPath = join(folder, 'engine.sock');
  await listenOn(socketPath, { Version: '99.1', Components: [{ Name: 'Engine' }] });
  const client = await executable('docker', 'cat > /dev/null; exit 0');
  const { ok, output } = await findEngine({ DOCKER_HOST: `unix://${socketPath}`, SLIPWAY_DOCKER: client });
  expect(ok).toBe(true);
  expect(output).toContain(`Docker 99.1, ${client}`);
});

it('Podman is no engine to build with', async () => {
  const socketPath = join(folder, 'podman.sock');
  await listenOn(socketPath, { Version: '5.0', Components: [{ Name: 'Podman Engine' }] });
  const { ok, output } = await findEngine({ DOCKER_HOST: `unix://${socketPath}` });
  expect(ok).toBe(false);
  expect(output).toContain('Podman answers at DOCKER_HOST');
});

it('a client that cannot build is passed over for one that can', async () => {
  const socketPath = join(folder, 'engine.sock');
  await listenOn(socketPath, { Version: '99.1' });
  await mkdir(join(folder, 'later'));
  await executable(
    'docker',
    'echo "ERROR: BuildKit is enabled but the buildx component is missing" >&2; exit 1',
  );
  const later = await executable('later/docker', 'cat > /dev/null');
  const path = `${folder}:${join(folder, 'later')}:${process.env.PATH}`;
  const { output } = await findEngine({ DOCKER_HOST: `unix://${socketPath}`, PATH: path });
  expect(output).toContain(later);
});

it.each([
  ['nobody listens', 'unix:///nowhere/engine.sock'],
  ['an address of a kind that cannot be used', 'ssh://somewhere'],
  ['nobody answers by tcp', 'tcp://127.0.0.1:1'],
])('%s at DOCKER_HOST: one line that says so, and code 1', async (_, host) => {
  const { ok, output } = await findEngine({ DOCKER_HOST: host });
  expect(ok).toBe(false);
  expect(output.split('\n')).toHaveLength(1);
  expect(output).toContain(`DOCKER_HOST=${host}`);
});

it('something else that listens there is no engine', async () => {
  const socketPath = join(folder, 'web.sock');
  await listenOn(socketPath, undefined);
  const { ok, output } = await findEngine({ DOCKER_HOST: `unix://${socketPath}` });
  expect(ok).toBe(false);
  expect(output).toContain('No container engine answers at DOCKER_HOST');
});

it('a client chosen by hand that cannot build is named', async () => {
  const socketPath = join(folder, 'engine.sock');
  await listenOn(socketPath, { Version: '99.1' });
  const client = await executable('docker', 'exit 1');
  const { ok, output } = await findEngine({ DOCKER_HOST: `unix://${socketPath}`, SLIPWAY_DOCKER: client });
  expect(ok).toBe(false);
  expect(output).toContain(`SLIPWAY_DOCKER=${client} can't build`);
});

/** What happens when things break: the cloud killed at work, events twice, late and out of order, a second start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureTinyBase } from '../../scripts/base-image.ts';
import { run } from '../../scripts/command.ts';
import { ensureEngine } from '../../scripts/engine.ts';
import type { LocalCloud } from '../../scripts/local-cloud.ts';
import { freePorts } from '../../scripts/ports.ts';
import { type Api, apiOf, type Json, settled, unique } from './client.ts';

let home: string;
let port: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-faults-'));
  port = String(await freePorts());
});

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await rm(home, { recursive: true, force: true });
});

function launchCloud(env: Record<string, string> = {}): { process: ChildProcess; output: () => string } {
  const started = spawn(process.execPath, ['local/main.ts'], {
    env: { ...process.env, SLIPWAY_HOME: home, SLIPWAY_PORT: port, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [started.stdout, started.stderr])
    stream?.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  return { process: started, output: () => text };
}

async function start(env: Record<string, string> = {}): Promise<{ cloud: LocalCloud; api: Api }> {
  const { process: started, output } = launchCloud(env);
  child = started;
  const cloud = await expect
    .poll(async () => {
      if (started.exitCode !== null) throw new Error(output());
      const read = JSON.parse(await readFile(join(home, 'local.json'), 'utf8').catch(() => '{}'));
      if (read.pid !== started.pid) return undefined;
      const healthy = await fetch(`${read.apiUrl}/v1/health`)
        .then((answer) => answer.ok)
        .catch(() => false);
      return healthy ? read : undefined;
    })
    .toBeDefined()
    .then(async () => JSON.parse(await readFile(join(home, 'local.json'), 'utf8')) as LocalCloud);
  return { cloud, api: apiOf(cloud.apiUrl, cloud.token) };
}

async function killHard(): Promise<void> {
  if (!child) throw new Error('nothing runs');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const containers = async () => {
  const { cli } = await ensureEngine({ yes: true });
  const lines = await run(cli, ['ps', '-a', '--format', '{{.ID}} {{.Names}} {{.Labels}}']);
  return lines.split('\n').filter((line) => line.includes(home) || line.includes(port));
};

async function aBuild(api: Api, base: string, step: string): Promise<Json> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${base}\nRUN ${step}\n` },
    registryId: 'reg_private',
    repository: unique('fault'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return reply.body;
}

describe('kill -9 and a new start', () => {
  it('B7 E1 during a build and an experiment: both end, nothing recorded is lost, no container is left', async () => {
    const { cloud, api } = await start();
    const engine = await ensureEngine({ yes: true });
    const base = (await ensureTinyBase(engine, cloud, 'acme')).reference;
    const marker = unique('killed');
    const image = await aBuild(api, base, `echo ${marker} && sleep 25`);
    const posted = await api.post('/v1/experiments', {
      image: base,
      compute: 'cpu-small',
      command: ['/bin/sh', '-c', 'i=0; while [ $i -lt 12 ]; do echo "tick-$i"; i=$((i+1)); sleep 1; done'],
    });
    const experimentPath = `/v1/experiments/${posted.body.id}`;
    const buildPath = `/v1/builds/${image.currentBuild.id}`;
    await api.until(experimentPath, (body) => body.status === 'running');
    await api.until(buildPath, (body) => body.status === 'building');
    const before = await Promise.all([
      api.read(`${buildPath}/events?limit=100`),
      api.read(`${experimentPath}/events?limit=100`),
    ]);

    await killHard();
    const again = await start();
    expect(again.cloud.token).toBe(cloud.token);

    const build = await again.api.until(buildPath, settled);
    const experiment = await again.api.until(experimentPath, settled);
    // The container had outlived the cloud: its outcome is taken, not guessed.
    expect(experiment).toMatchObject({ status: 'succeeded', exitCode: 0 });
    expect(experiment.attempts).toHaveLength(1);
    const ticks = (await again.api.log(experimentPath))
      .map((line) => line.text)
      .filter((text) => text.startsWith('tick-'));
    expect(ticks).toEqual(Array.from({ length: 12 }, (_, i) => `tick-${i}`));
    expect(['failed', 'succeeded']).toContain(build.status);
    if (build.status === 'failed') expect(build.failure.code).toMatch(/builder/);
    const after = await Promise.all([
      again.api.read(`${buildPath}/events?limit=100`),
      again.api.read(`${experimentPath}/events?limit=100`),
    ]);
    for (const [i, { items }] of after.entries())
      expect(items.slice(0, before[i].items.length)).toEqual(before[i].items);
    expect(await again.api.read(`/v1/images/${image.id}`)).toMatchObject({ repository: image.repository });
    await expect.poll(containers).toEqual([]);
  });
});

describe('events', () => {
  it('B1 E1 twice, late and in the wrong order: the same final state', async () => {
    const { cloud, api } = await start({ SLIPWAY_EVENTS_CHAOS: 'duplicate,delay=300,reorder=2500' });
    const base = (await ensureTinyBase(await ensureEngine({ yes: true }), cloud, 'acme')).reference;
    const image = await aBuild(api, base, 'echo fine');
    const failing = await aBuild(api, base, 'exit 5');
    const experiments = await Promise.all(
      [['true'], ['/bin/sh', '-c', 'exit 4']].map((command) =>
        api.post('/v1/experiments', { image: base, compute: 'cpu-small', command }),
      ),
    );
    expect((await api.until(`/v1/builds/${image.currentBuild.id}`, settled)).status).toBe('succeeded');
    expect((await api.until(`/v1/builds/${failing.currentBuild.id}`, settled)).status).toBe('failed');
    const ends = await Promise.all(
      experiments.map(({ body }) => api.until(`/v1/experiments/${body.id}`, settled)),
    );
    expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'failed']);
    for (const path of [
      `/v1/builds/${image.currentBuild.id}`,
      `/v1/experiments/${experiments[0]?.body.id}`,
    ]) {
      await new Promise((done) => setTimeout(done, 3000));
      const { items } = await api.read(`${path}/events?limit=100`);
      expect(items.map((event: Json) => event.seq)).toEqual(items.map((_: Json, i: number) => i));
      expect((await api.read(path)).status).toBe('succeeded');
    }
  });
});

describe('a start that cannot be', () => {
  async function refused(env: Record<string, string> = {}): Promise<string> {
    const { process: second, output } = launchCloud(env);
    // What it said may come after its exit.
    const [code] = await once(second, 'close');
    expect(code).not.toBe(0);
    expect(output().trim().split('\n')).toHaveLength(1);
    return output();
  }

  it('a second one says that the first is running, and where', async () => {
    const { cloud } = await start();
    expect(await refused()).toContain(cloud.apiUrl);
  });

  it('a port in use is named', async () => {
    const other = createServer().listen(Number(port), '127.0.0.1');
    await once(other, 'listening');
    expect(await refused()).toContain(port);
    other.close();
  });

  it('no container engine is one line', async () => {
    expect(await refused({ DOCKER_HOST: `unix://${join(home, 'nothing.sock')}` })).toMatch(
      /container engine/i,
    );
  });
});

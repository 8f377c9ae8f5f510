/** Experiments on the real engine, through the API. */
import { describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { containersOf } from './engine-traces.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

async function launch(command: string[] | undefined, more: object = {}): Promise<string> {
  const reply = await api.post('/v1/experiments', {
    image: tinyBase,
    compute: 'cpu-small',
    command,
    ...more,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  expect(reply.headers.get('location')).toBe(`/v1/experiments/${reply.body.id}`);
  return `/v1/experiments/${reply.body.id}`;
}

const texts = (lines: Json[]) => lines.filter((line) => line.stream !== 'system').map((line) => line.text);

describe('an experiment', () => {
  it('E1 E2 E4 runs a command in a pinned image and keeps log, attempt and exit code', async () => {
    const path = await launch(['/bin/sh', '-c', 'echo "to out"; echo "x = $X"; exit 0'], {
      env: { X: 'a "b" $c' },
    });
    const done = await api.until(path, settled);
    expect(done).toMatchObject({ status: 'succeeded', exitCode: 0, author: 'ada@acme.example' });
    expect(done.image).toMatchObject({ requested: tinyBase, uri: tinyBase });
    expect(done.image.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(done.attempts).toHaveLength(1);
    expect(texts(await api.log(path))).toEqual(['to out', 'x = a "b" $c']);
    const { items } = await api.read(`${path}/events?limit=100`);
    const codes = items.map((event: Json) => event.code);
    expect(codes.length).toBeGreaterThanOrEqual(4);
    expect(new Set(items.map((event: Json) => event.seq)).size).toBe(items.length);
  });

  it('E14 streams the log live and reads it by line range afterwards', async () => {
    // However long its first line takes to get here, it is still running then.
    const untilReleased = 'until [ -e /tmp/released ]; do sleep 0.1; done';
    const script = `for i in 1 2 3; do echo "live-$i"; [ $i != 1 ] || ${untilReleased}; done`;
    const path = await launch(['/bin/sh', '-c', script]);
    let first: Json;
    await expect
      .poll(async () => {
        const page = await api.read(`${path}/logs?wait=5`);
        first ??= page.items.find((line: Json) => line.text === 'live-1');
        return first !== undefined;
      })
      .toBe(true);
    const soFar = await api.read(`${path}/logs?attempt=1`);
    const { status, attempts } = await api.read(path);
    expect(status).toBe('running');
    expect(soFar).toMatchObject({ complete: false, nextCursor: expect.any(String) });
    const [container = ''] = await containersOf(attempts[0].jobId);
    // Not by a process in the container, which may be over before that is.
    await run('docker', ['cp', import.meta.filename, `${container}:/tmp/released`]);
    await api.until(path, settled);
    expect(texts(await api.log(path))).toEqual(['live-1', 'live-2', 'live-3']);
    const range = await api.read(`${path}/logs?from=1&to=2`);
    expect(range).toMatchObject({ items: [{ text: 'live-1' }, { text: 'live-2' }], complete: false });
    const rest = await api.read(`${path}/logs?cursor=${range.nextCursor}`);
    expect(rest).toMatchObject({ items: [{ text: 'live-3' }], complete: true });
  });

  it('runs the arguments as they are: nothing of them becomes shell', async () => {
    const path = await launch(['echo', '$(id)', '`id`', '; exit 9', "it's", 'a  b']);
    expect((await api.until(path, settled)).status).toBe('succeeded');
    expect(texts(await api.log(path))).toEqual(["$(id) `id` ; exit 9 it's a  b"]);
  });

  it('E1 is stored by start=false, started once, and deleted', async () => {
    const reply = await api.post('/v1/experiments?start=false', {
      image: tinyBase,
      compute: 'cpu-small',
      command: ['true'],
    });
    expect(reply).toMatchObject({ status: 201, body: { status: 'created' } });
    const path = `/v1/experiments/${reply.body.id}`;
    const starts = await Promise.all([api.post(`${path}/start`), api.post(`${path}/start`)]);
    expect(starts.map((one) => one.status)).toContain(202);
    const done = await api.until(path, settled);
    expect(done).toMatchObject({ status: 'succeeded' });
    expect(done.attempts).toHaveLength(1);
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
  });

  it('E1 is found by tag, status and project', async () => {
    const tag = unique('tag');
    const project = unique('project');
    const path = await launch(['true'], { tags: [tag], project });
    await api.until(path, settled);
    const id = path.split('/').at(-1);
    for (const filter of [
      `tag=${tag}`,
      `project=${project}`,
      `tag=${tag}&status=succeeded`,
      `project=${project}&author=ada@acme.example`,
    ])
      await expect
        .poll(async () => (await api.read(`/v1/experiments?${filter}`)).items.map((one: Json) => one.id))
        .toEqual([id]);
    expect((await api.read(`/v1/experiments?tag=${tag}&status=failed`)).items).toEqual([]);
  });
});

describe('an experiment that cannot end well', () => {
  it('a command that exits 3', async () => {
    const path = await launch(['/bin/sh', '-c', 'echo dying; exit 3']);
    expect(await api.until(path, settled)).toMatchObject({
      status: 'failed',
      exitCode: 3,
      statusReason: { code: 'exit-code' },
    });
    expect(texts(await api.log(path))).toEqual(['dying']);
  });

  it('a command that does not exist', async () => {
    const path = await launch(['no-such-program']);
    expect(await api.until(path, settled)).toMatchObject({
      status: 'failed',
      statusReason: { code: 'command-not-found' },
    });
  });

  it('an image that does not exist', async () => {
    const path = await launch(['true'], { image: `${cloud.registryHost}/acme/nothing-here:1` });
    expect(await api.until(path, settled)).toMatchObject({
      status: 'failed',
      statusReason: { code: 'image-not-found' },
    });
  });

  it('a registry that nobody can reach', async () => {
    const path = await launch(['true'], { image: 'registry.invalid/some/image:1' });
    const { status, statusReason } = await api.until(path, settled);
    expect(status).toBe('failed');
    expect(statusReason.message).toContain('registry.invalid');
  });

  it('a compute that no host offers here ends with the reason, not in the queue', async () => {
    const path = await launch(['true'], { compute: 'gpu-small' });
    const { status, statusReason } = await api.until(path, settled);
    expect({ status, code: statusReason.code }).toEqual({ status: 'failed', code: 'compute-unavailable' });
  });

  it('a compute that nobody has configured is refused with those that are', async () => {
    const reply = await api.post('/v1/experiments', {
      image: tinyBase,
      compute: 'quantum',
      command: ['true'],
    });
    expect(reply.status).toBe(422);
    expect(reply.body.errors[0].pointer).toBe('/compute');
    expect(reply.body.errors[0].message).toContain('cpu-small');
  });

  it('more memory than it was given', async () => {
    const path = await launch(['/bin/sh', '-c', 'head -c 3000000000 /dev/zero | tail']);
    expect(await api.until(path, settled)).toMatchObject({
      status: 'failed',
      statusReason: { code: 'out-of-memory' },
    });
  });
});

describe('stopping', () => {
  it('E16 before it starts', async () => {
    const reply = await api.post('/v1/experiments?start=false', {
      image: tinyBase,
      compute: 'cpu-small',
      command: ['true'],
    });
    const path = `/v1/experiments/${reply.body.id}`;
    // Nothing has to be confirmed.
    expect(await api.post(`${path}/stop`)).toMatchObject({ status: 200, body: { status: 'stopped' } });
  });

  it('E16 right after the request, and twice', async () => {
    const path = await launch(['sleep', '300']);
    const replies = await Promise.all([api.post(`${path}/stop`), api.post(`${path}/stop`)]);
    // 202 while a job has to end first, 200 where there was none yet.
    for (const { status } of replies) expect([200, 202]).toContain(status);
    expect((await api.until(path, settled)).status).toBe('stopped');
  });

  it('E16 while it runs: confirmed, with its log kept', async () => {
    const path = await launch(['/bin/sh', '-c', 'echo started; sleep 300']);
    await expect.poll(async () => texts((await api.read(`${path}/logs?wait=5`)).items)).toContain('started');
    expect((await api.post(`${path}/stop`)).status).toBe(202);
    expect(await api.until(path, settled)).toMatchObject({ status: 'stopped' });
    expect(texts(await api.log(path))).toContain('started');
  });
});

/** B6: what the engine gets of images whose account it isn't given. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PassThrough, startPassThrough } from '../../builder/pass-through.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import type { RegistryClient } from '../../shared/registry/model.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import { putImage } from '../shared/registry/images.ts';
import { json, type MemoryRegistry, startMemoryRegistry } from '../shared/registry/servers.ts';

const account = { username: 'ria', password: 'secret:with colon' };
const basic = ({ username, password }: typeof account) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const network = createNetwork({ privateHosts: ['127.0.0.1'] });

let registry: MemoryRegistry;
let digest: string;
let through: PassThrough;
const reported: string[] = [];
beforeAll(async () => {
  registry = await startMemoryRegistry(({ headers, url }) => {
    if (url.includes('/team/broken/')) return json(500, {});
    if (url.includes('/team/busy/')) return json(429, {});
    if (headers.authorization === basic(account) && !url.includes('/team/hidden/')) return undefined;
    return json(401, {}, { 'www-authenticate': 'Basic realm="x"' });
  });
  digest = putImage(registry, 'team/base', '1');
  putImage(registry, 'team/other', '1');
  const clientOf = (credentials?: typeof account) =>
    createRegistryClient({ host: registry.host, network, credentials });
  through = await startPassThrough(
    [
      { client: clientOf(), repository: 'elsewhere/base' },
      ...['base', 'broken', 'busy', 'hidden', 'missing'].map((name) => ({
        client: clientOf(account),
        repository: `team/${name}`,
      })),
    ],
    (message) => reported.push(message),
  );
});
afterAll(async () => {
  await through?.stop();
  await registry?.stop();
  network.close();
});

const ask = (path: string, method = 'GET', credentials: typeof account | undefined = through.credentials) =>
  fetch(`http://${through.host}${path}`, {
    method,
    headers: credentials ? { authorization: basic(credentials) } : {},
  });

test('names what it passes on, and nothing else', () => {
  const { host, nameOf, withOwnNames } = through;
  const pinned = `team/base:1@${digest}`;
  expect(nameOf(`${registry.host}/${pinned}`)).toBe(`${host}/1/${pinned}`);
  expect(nameOf(`${registry.host}/elsewhere/base`)).toBe(`${host}/0/elsewhere/base`);
  for (const other of [`${registry.host}/team/other:1`, 'quay.io/team/base:1', 'team/base', 'No Name', ''])
    expect(nameOf(other)).toBeUndefined();
  expect(withOwnNames(`#3 [2/2] FROM ${host}/1/${pinned} and ${host}/0/elsewhere/base`)).toBe(
    `#3 [2/2] FROM ${registry.host}/${pinned} and ${registry.host}/elsewhere/base`,
  );
});

test('an engine finds an image by tag and digest, with its length and digest, and its blobs', async () => {
  expect((await ask('/v2/')).status).toBe(200);
  const { body } = registry.manifests.get(`team/base@${digest}`) as { body: Buffer };
  for (const reference of ['1', digest]) {
    const head = await ask(`/v2/1/team/base/manifests/${reference}`, 'HEAD');
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': String(body.length),
      'docker-content-digest': digest,
    });
    expect(await (await ask(`/v2/1/team/base/manifests/${reference}?ns=x`)).text()).toBe(body.toString());
  }
  const [blob, bytes] = [...registry.blobs][0] ?? [];
  const head = await ask(`/v2/1/team/base/blobs/${blob}`, 'HEAD');
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes?.length)]);
  const answer = await ask(`/v2/1/team/base/blobs/${blob}`);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
});

test('the registry is asked once for a manifest that the engine asks for twice', async () => {
  registry.put('team/base', 'new', 'application/vnd.oci.image.manifest.v1+json', '{"schemaVersion":2}');
  registry.asked.length = 0;
  for (const method of ['HEAD', 'GET']) await ask('/v2/1/team/base/manifests/new', method);
  expect(registry.asked.filter(({ url }) => url.includes('/manifests/'))).toHaveLength(1);
});

test('nothing without its own password, of other repositories, or for whoever would write', async () => {
  const manifest = '/v2/1/team/base/manifests/1';
  for (const credentials of [{ username: 'x', password: '' }, account]) {
    const answer = await ask(manifest, 'GET', credentials);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="slipway"']);
  }
  registry.asked.length = 0;
  for (const [path, method] of [
    ['/v2/1/team/other/manifests/1', 'GET'],
    ['/v2/0/team/base/manifests/1', 'GET'],
    ['/v2/7/team/base/manifests/1', 'GET'],
    ['/v2/1/team/base/tags/list', 'GET'],
    ['/v2/1/team/base/../other/manifests/1', 'GET'],
    [manifest, 'DELETE'],
    [manifest, 'PUT'],
    ['/v2/1/team/base/blobs/uploads/', 'POST'],
    ['/', 'GET'],
  ] as const)
    expect((await ask(path, method)).status, `${method} ${path}`).toBe(404);
  expect(registry.asked).toEqual([]);
});

test("the registry's refusals: never a 401, which would be about another password", async () => {
  const statusOf = async (name: string) => (await ask(`/v2/${name}/manifests/${digest}`)).status;
  reported.length = 0;
  expect(await statusOf('4/team/hidden')).toBe(403);
  expect(await statusOf('5/team/missing')).toBe(404);
  expect(await statusOf('3/team/busy')).toBe(429);
  expect(await statusOf('2/team/broken')).toBe(502);
  expect(await statusOf('0/elsewhere/base')).toBe(403);
  expect(reported).toHaveLength(5);
  expect(reported[0]).toContain(registry.host);
  for (const message of reported) expect(message).not.toContain(account.password);
});

test('a blob of other bytes than its digest says never arrives whole', async () => {
  const [blob = ''] = registry.blobs.keys();
  const kept = registry.blobs.get(blob) as Buffer;
  registry.blobs.set(blob, Buffer.from(kept.map((byte) => byte ^ 1)));
  try {
    const read = ask(`/v2/1/team/base/blobs/${blob}`).then((answer) => answer.arrayBuffer());
    await expect(read).rejects.toThrow();
  } finally {
    registry.blobs.set(blob, kept);
  }
});

test('an engine that hangs up before the registry has answered ends what the registry sends, unreported', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const stream = new Readable({ read: () => undefined });
  const client = {
    host: 'r.example',
    async getBlob() {
      ask();
      await held;
      return { stream, sizeBytes: 3, passedBytes: () => 0 };
    },
  } as Partial<RegistryClient> as RegistryClient;
  const heard: string[] = [];
  const other = await startPassThrough([{ client, repository: 'base' }], (message) => heard.push(message));
  try {
    const get = (path: string, signal: AbortSignal | null = null) =>
      fetch(`http://${other.host}${path}`, {
        signal,
        headers: { authorization: basic(other.credentials) },
      });
    const engine = new AbortController();
    const hungUp = get(`/v2/0/base/blobs/${digest}`, engine.signal).catch((error: Error) => error.name);
    await asked;
    engine.abort();
    expect(await hungUp).toBe('AbortError');
    // By the time that it answers others, the server knows of it.
    for (let turn = 0; turn < 3; turn++) await get('/v2/');
    const closed = once(stream, 'close');
    release();
    await closed;
    expect(heard).toEqual([]);
  } finally {
    await other.stop();
  }
});

test('a build that fails before it stops it ends all the same', async () => {
  const module = join(import.meta.dirname, '../../builder/pass-through.ts');
  const script = `import { startPassThrough } from ${JSON.stringify(module)}; await startPassThrough([], () => {});`;
  // Ended by the time-out where it doesn't end by itself.
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: 'ignore',
    timeout: 60_000,
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
});

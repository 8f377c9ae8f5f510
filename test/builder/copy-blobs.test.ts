/** I7: what happens to a blob on its way between two registries that misbehave. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { copyBlobs, type Side } from '../../builder/mirror/copy-blobs.ts';
import { type RegistryClient, RegistryError } from '../../shared/registry/model.ts';
import { openedByTests } from '../shared/registry/opened.ts';
import { type Answer, type Asked, json, type MemoryRegistry, sha256 } from '../shared/registry/servers.ts';

const opened = openedByTests();

function sideOf(host: string, timeoutMs = 10_000): Side {
  const client = opened.clientOf({ host }, { network: opened.network({ timeoutMs }) });
  return { client, repository: 'app' };
}

async function registry(before?: (asked: Asked) => Answer | undefined): Promise<[MemoryRegistry, Side]> {
  const store = await opened.registry(before);
  return [store, sideOf(store.host)];
}

/** The host of a server that may stop in the middle of an answer. */
async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  opened.keep({
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const isBlob = ({ method, url }: Asked) => method === 'GET' && url.includes('/blobs/');
const isUpload = ({ method }: Asked) => method === 'PUT';

async function copy(from: Side, to: Side, ...contents: string[]) {
  const lines: string[] = [];
  const blobs = contents.map((text) => ({ digest: sha256(text), sizeBytes: Buffer.byteLength(text) }));
  const counts = await copyBlobs(from, to, blobs, (line) => void lines.push(line));
  return { counts, lines };
}

it('moves what is missing, and asks for the body of nothing that is there', async () => {
  const [source, from] = await registry();
  const [target, to] = await registry();
  for (const text of ['one', 'two', 'three']) source.putBlob(text);
  target.putBlob('two');
  const { counts } = await copy(from, to, 'one', 'two', 'three');
  expect(counts).toEqual({ movedBlobs: 2, existingBlobs: 1, mountedBlobs: 0, movedBytes: 8 });
  expect([...target.blobs.keys()].sort()).toEqual([...source.blobs.keys()].sort());
  expect(source.asked.filter(isBlob)).toHaveLength(2);
  expect((await copy(from, to, 'one', 'two', 'three')).counts).toMatchObject({
    existingBlobs: 3,
    movedBytes: 0,
  });
  expect(target.asked.filter(isUpload)).toHaveLength(2);
});

it('sends a blob whose length the source does not tell', async () => {
  const [source, from] = await registry((asked) =>
    isBlob(asked) ? { status: 200, headers: { 'transfer-encoding': 'chunked' }, body: 'one' } : undefined,
  );
  const [target, to] = await registry();
  source.putBlob('one');
  expect((await copy(from, to, 'one')).counts).toMatchObject({ movedBlobs: 1, movedBytes: 3 });
  expect(String(target.blobs.get(sha256('one')))).toBe('one');
});

it.each([
  ['other bytes', 'eno'],
  ['no bytes', ''],
  ['a web page', '<html>Please log in</html>'],
])('refuses %s than those of the digest, even where the target takes anything', async (_, body) => {
  const [, from] = await registry((asked) => (isBlob(asked) ? { status: 200, body } : undefined));
  const whole: string[] = [];
  const [, to] = await registry((asked) => {
    if (!isUpload(asked)) return undefined;
    whole.push(String(asked.body));
    return { status: 201 };
  });
  await expect(copy(from, to, 'one')).rejects.toMatchObject({
    failure: { code: 'source-unavailable', message: expect.stringContaining('does not match') },
  });
  expect(whole).toEqual([]);
});

it('reads again what broke off, and says so', async () => {
  let reads = 0;
  const [source, from] = await registry((asked) =>
    isBlob(asked) && reads++ === 0
      ? { status: 200, headers: { 'content-length': '1000' }, body: 'on' }
      : undefined,
  );
  const [target, to] = await registry();
  source.putBlob('one');
  const { counts, lines } = await copy(from, to, 'one');
  expect(counts).toMatchObject({ movedBlobs: 1, movedBytes: 3 });
  expect(lines.join('\n')).toMatch(/in 2 s: .* closed the connection/);
  expect(target.blobs.size).toBe(1);
});

it('gives up a source that falls silent in the middle of a blob, after three attempts', async () => {
  let reads = 0;
  const host = await listening((_, answer) => {
    reads++;
    answer.writeHead(200, { 'content-length': '3' }).write('on');
  });
  const [target, to] = await registry();
  const from = sideOf(host, 300);
  await expect(copy(from, to, 'one')).rejects.toMatchObject({ failure: { code: 'source-unavailable' } });
  expect(reads).toBe(3);
  expect(target.blobs.size).toBe(0);
});

it('gives up a target that takes a blob and says nothing', async () => {
  const [source, from] = await registry();
  source.putBlob('one');
  let uploads = 0;
  const host = await listening((asked, answer) => {
    if (asked.method === 'HEAD') answer.writeHead(404).end();
    else if (asked.method === 'POST') answer.writeHead(202, { location: '/v2/app/blobs/uploads/1' }).end();
    else uploads++;
  });
  const to = sideOf(host, 300);
  await expect(copy(from, to, 'one')).rejects.toMatchObject({ failure: { code: 'target-unavailable' } });
  expect(uploads).toBeGreaterThan(0);
});

it('asks again whether a blob is there where the target stumbles', async () => {
  const [source, from] = await registry();
  const answers = [json(503, {})];
  const [target, to] = await registry(({ method }) => (method === 'HEAD' ? answers.shift() : undefined));
  source.putBlob('one');
  expect((await copy(from, to, 'one')).counts).toMatchObject({ movedBlobs: 1 });
  expect(target.blobs.size).toBe(1);
});

it('sends again what the target broke off or put off', async () => {
  const [source, from] = await registry();
  const answers = [json(429, {}, { 'retry-after': '0' }), json(503, {}, {})];
  const [target, to] = await registry((asked) => (isUpload(asked) ? answers.shift() : undefined));
  source.putBlob('one');
  const { lines } = await copy(from, to, 'one');
  expect(lines.join('\n')).toMatch(/in 0 s[\s\S]*in 4 s/);
  expect(target.blobs.size).toBe(1);
});

it('R9 is not sent again earlier than the target asks: what takes longer is told', async () => {
  const [source, from] = await registry();
  const [, to] = await registry((asked) =>
    isUpload(asked) ? json(429, {}, { 'retry-after': '31' }) : undefined,
  );
  source.putBlob('one');
  const lines: string[] = [];
  const blobs = [{ digest: sha256('one'), sizeBytes: 3 }];
  await expect(copyBlobs(from, to, blobs, (line) => void lines.push(line))).rejects.toMatchObject({
    failure: { code: 'rate-limited', message: expect.stringContaining('asks to wait 31 s') },
  });
  expect(lines).toEqual([]);
});

it('R9 is not sent again blindly: a target that tells no time to wait is asked once', async () => {
  const [source, from] = await registry();
  const [target, to] = await registry((asked) => (isUpload(asked) ? json(429, {}) : undefined));
  source.putBlob('one');
  await expect(copy(from, to, 'one')).rejects.toMatchObject({ failure: { code: 'rate-limited' } });
  expect(target.asked.filter(isUpload)).toHaveLength(1);
});

it('R9 what one worker is told to wait, all of them wait before they begin another blob', async () => {
  const contents = Array.from({ length: 8 }, (_, i) => `content ${i}`);
  const [first = '', ...others] = contents.map(sha256);
  const { promise: told, resolve: tell } = Promise.withResolvers<number>();
  const askedAt = new Map<string, number>();
  const client = {
    host: 'to.example',
    async hasBlob(_: string, digest: string) {
      const isFirst = digest === first && !askedAt.has(first);
      askedAt.set(digest, performance.now());
      if (isFirst)
        throw new RegistryError('rate-limited', 'to.example', 'too many', { retryAfterSeconds: 1 });
      // Those that were asked beside it go on once its worker has been told.
      await told;
      return 1;
    },
  } as Partial<RegistryClient> as RegistryClient;
  const [, from] = await registry();
  const blobs = contents.map((text) => ({ digest: sha256(text), sizeBytes: 1 }));
  const counts = await copyBlobs(from, { client, repository: 'app' }, blobs, (line) => {
    if (line.includes('retrying layer')) tell(performance.now());
  });
  expect(counts.existingBlobs).toBe(8);
  const toldAt = await told;
  // Timers may be a little early.
  for (const digest of [first, ...others.slice(3)])
    expect((askedAt.get(digest) ?? 0) - toldAt).toBeGreaterThan(950);
});

it.each([
  ['refuses', 413, 'push-refused'],
  ['may not be written', 403, 'push-unauthorized'],
])('fails with its code where the target %s, and the others stop', async (_, status, code) => {
  const [source, from] = await registry();
  const [, to] = await registry((asked) => (isUpload(asked) ? json(status, {}) : undefined));
  const contents = Array.from({ length: 12 }, (_, i) => `content ${i}`);
  for (const text of contents) source.putBlob(text);
  await expect(copy(from, to, ...contents)).rejects.toMatchObject({ failure: { code } });
  expect(source.asked.filter(isBlob).length).toBeLessThanOrEqual(8);
});

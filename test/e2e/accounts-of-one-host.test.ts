/** B6: several registries at one host, each with an account that may not read what the others have, in one build. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { sha256Of } from '../../shared/registry/digest.ts';
import { ociManifest } from '../../shared/registry/media-types.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import { parseLocation } from '../../shared/registry/reference.ts';
import { tarOf } from '../builder/archive/tar.ts';
import { apiOf, type Json, unique } from './client.ts';
import { connect } from './connected.ts';
import { startNamespaces } from './one-host.ts';
import { build } from './private-builds.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

const sides = ['left', 'right', 'third'] as const;
type Side = (typeof sides)[number];
const accounts = {
  left: { username: 'lea', password: unique('left') },
  right: { username: 'ria', password: unique('right') },
  third: { username: 'tom', password: unique('third') },
};
let registry: Awaited<ReturnType<typeof startNamespaces>>;
let registryIds: Record<Side, string>;
/** What the file `/<side>` in an image of each account says: new every time, so that no engine has it cached. */
const words = { left: unique('left'), right: unique('right'), third: unique('third') };
let bases: Record<Side, { uri: string; digest: string }>;

beforeAll(async () => {
  registry = await startNamespaces(accounts);
  registryIds = await ofEach((side) => connect(registry.host, accounts[side], `/${side}`));
  const built = (side: 'left' | 'right') =>
    succeeded(`FROM ${tinyBase}\nRUN echo ${words[side]} > /${side}\n`, {
      registryId: registryIds[side],
      repository: unique('base'),
    });
  const [left, right, third] = await Promise.all([built('left'), built('right'), putFiles('third')]);
  bases = { left, right, third };
});
afterAll(async () => {
  network.close();
  await registry?.stop();
});

async function ofEach<T>(make: (side: Side) => Promise<T>): Promise<Record<Side, T>> {
  const made = await Promise.all(sides.map(async (side) => [side, await make(side)] as const));
  return Object.fromEntries(made) as Record<Side, T>;
}

const network = createNetwork({ privateHosts: ['127.0.0.1'] });
const clientOf = (side: Side) =>
  createRegistryClient({ host: registry.host, network, credentials: accounts[side] });

/** An image of one file, whose layer no engine has seen: whoever copies from it must have fetched it. */
async function putFiles(side: Side): Promise<{ uri: string; digest: string }> {
  const client = clientOf(side);
  const repository = `${side}/${unique('files')}`;
  const put = async (body: Buffer, mediaType: string) => {
    await client.putBlob(repository, sha256Of(body), body);
    return { mediaType, digest: sha256Of(body), size: body.length };
  };
  const files = tarOf({ path: side, content: `${words[side]}\n` });
  const config = {
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [sha256Of(files)] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: await put(Buffer.from(JSON.stringify(config)), 'application/vnd.oci.image.config.v1+json'),
    layers: [await put(gzipSync(files), 'application/vnd.oci.image.layer.v1.tar+gzip')],
  };
  const digest = await client.putManifest(
    repository,
    '1',
    ociManifest,
    Buffer.from(JSON.stringify(manifest)),
  );
  return { uri: `${registry.host}/${repository}:1`, digest };
}

async function succeeded(...request: Parameters<typeof build>): Promise<Json> {
  const done = await build(...request);
  const text = await textOf(done);
  expect(done, text).toMatchObject({ status: 'succeeded' });
  return { ...done, text };
}

const textOf = async ({ id }: Json): Promise<string> =>
  (await api.log(`/v1/builds/${id}`)).map(({ text }) => text).join('\n');

it('B6 no account of this host reads what another one has', async () => {
  for (const reader of sides)
    for (const owner of sides) {
      const { repository, tag = '' } = parseLocation(bases[owner].uri);
      const read = clientOf(reader).headManifest(repository, tag);
      if (reader === owner) expect((await read)?.digest).toBe(bases[owner].digest);
      else await expect(read).rejects.toMatchObject({ status: 401 });
    }
});

it('B6 two registries at one host with an account each, in one build: base, second stage, COPY, mount and push', async () => {
  const { left, right, third } = bases;
  const target = { registryId: registryIds.left, repository: unique('app') };
  const dockerfile = [
    'ARG THIRD',
    `FROM ${right.uri}@${right.digest} AS files`,
    'RUN cp /right /prepared',
    'FROM $THIRD AS tools',
    `FROM ${left.uri}`,
    'COPY --from=files /prepared /copied/right',
    'COPY --from=tools /third /copied/third',
    `COPY --from="${right.uri}" /right /copied/again`,
    `RUN --mount=type=bind,from=${right.uri},target=/mounted cat /left /copied/* /mounted/right`,
    '',
  ].join('\n');
  const done = await succeeded(dockerfile, target, { buildArgs: { THIRD: third.uri } });
  expect(done.uri).toContain(`${registry.host}/left/`);
  for (const [word, times] of [
    [words.left, 1],
    [words.right, 3],
    [words.third, 1],
  ] as const)
    expect(done.text.match(new RegExp(`^#\\d+ [\\d.]+ ${word}$`, 'gm'))).toHaveLength(times);
  // The log has the images' own names, pinned, and nothing of the way that they took.
  for (const { uri, digest } of [left, right, third]) expect(done.text).toContain(`${uri}@${digest}`);
  expect(done.text).not.toMatch(/127\.0\.0\.1:\d+\/\d+\//);
  for (const { password } of Object.values(accounts)) expect(done.text).not.toContain(password);

  // What was pushed is an image like any other: it can be built on, from either side, and its layers are cached.
  const upon = `FROM ${done.uri}\nRUN cat /copied/right /copied/third > /upon\n`;
  const onIt = { registryId: registryIds.right, repository: unique('upon') };
  await succeeded(upon, onIt);
  const again = await succeeded(
    `${dockerfile}RUN echo ${unique('edit')}\n`,
    { ...target, tag: '2' },
    {
      buildArgs: { THIRD: third.uri },
    },
  );
  expect(again.text).toMatch(/^#\d+ CACHED$/m);
  expect(again.text).not.toMatch(new RegExp(`^#\\d+ [\\d.]+ ${words.left}$`, 'm'));
});

it('B6 where nothing of that host is pushed, or nothing at all: each base with its own account all the same', async () => {
  const { left, right } = bases;
  const dockerfile = `FROM ${left.uri}\nCOPY --from=${right.uri} /right /copied\nRUN cat /left /copied\n`;
  await succeeded(dockerfile);
  await succeeded(`${dockerfile}RUN true\n`, { registryId: registryIds.left }, { push: false });
});

it('B6 the account of its own registry is the only one that counts for a base', async () => {
  const { left, right } = bases;
  // `left` could read it; its own registry, with the longer path, has an account that can't.
  const id = await connect(
    registry.host,
    { username: 'nobody', password: 'wrong' },
    `/${parseLocation(left.uri).repository}`,
  );
  try {
    const dockerfile = `FROM ${right.uri}\nCOPY --from=${left.uri} /left /copied\n`;
    const { status, failure } = await build(dockerfile);
    expect({ status, code: failure?.code }, JSON.stringify(failure)).toEqual({
      status: 'failed',
      code: 'base-image-unauthorized',
    });
    expect(failure.message).toContain(left.uri);
  } finally {
    expect((await api.call('DELETE', `/v1/registries/${id}`)).status).toBe(204);
  }
});

/** Dockerfiles generated from a recipe and linted before they are built (B10, B11), on the real engines. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { pullAs } from './pull.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

const build = (source: Json, repository = unique('recipe')) =>
  api.post('/v1/images', { source: { type: 'build', ...source }, registryId: 'reg_private', repository });

async function built(source: Json): Promise<{ image: Json; build: Json }> {
  const reply = await build(source);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const done = await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
  return { image: await api.read(`/v1/images/${reply.body.id}`), build: done };
}

/** A base whose apt-get and python3 write down what they were asked. */
const recorder = `FROM ${tinyBase}
RUN for name in apt-get python3; do \\
      printf '#!/bin/sh\\nfor one in %s "$@"; do echo "$one" >> /asked; done\\n' $name > /usr/bin/$name; \\
      chmod +x /usr/bin/$name; \\
    done \\
 && mkdir -p /var/lib/apt/lists && touch /var/lib/apt/lists/left-over
USER nobody
`;

describe('dockerfiles', () => {
  let base: string;
  beforeAll(async () => {
    const { image, build: done } = await built({ dockerfile: recorder });
    expect(done.status, JSON.stringify(done)).toBe('succeeded');
    base = `${image.repository}:${image.tag}`;
  });

  const recipe = () => ({
    base,
    apt: ['git', 'curl=7.88.1-10+deb12u5'],
    requirements: 'numpy==2.1.0  # pinned\ntorch>=2,<3; python_version < "3.13"\n',
    workdir: '/work',
  });

  it("B10 answers the text, with the base's user at its end", async () => {
    const { status, body } = await api.post('/v1/dockerfiles/generate', recipe());
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.dockerfile).toMatch(new RegExp(`^FROM ${cloud.registryHost}/acme/recipe-`));
    expect(body.dockerfile.trim().split('\n').at(-1)).toBe('USER nobody');
    expect(body.warnings).toEqual([]);
    // The base is our own, under the tag that it got by default.
    const lint = await api.post('/v1/dockerfiles/lint', { dockerfile: body.dockerfile });
    expect(lint.body.warnings.map((one: Json) => one.code)).toEqual(['from-latest']);
  });

  it('B10 builds a recipe: packages as root, nothing through a shell, the user kept', async () => {
    const { image, build: done } = await built({ from: recipe() });
    expect(done.status, JSON.stringify(done)).toBe('succeeded');
    const { dockerfile } = (await api.post('/v1/dockerfiles/generate', recipe())).body;
    expect((await api.get(`/v1/images/${image.id}/dockerfile`)).body).toBe(dockerfile);
    const inside = 'cat /asked; ls /var/lib/apt/lists; id -un; pwd';
    const output = await runIn(image, ['/bin/sh', '-c', inside]);
    expect(output.trim().split('\n')).toEqual([
      ...['apt-get', 'update'],
      ...['apt-get', 'install', '-y', '--no-install-recommends', 'curl=7.88.1-10+deb12u5', 'git'],
      ...['python3', '-m', 'pip', 'install', '--cache-dir=/var/cache/slipway-pip'],
      ...['numpy==2.1.0', 'torch>=2,<3; python_version < "3.13"'],
      ...['nobody', '/work'],
    ]);
  });

  it('B10 refuses what would reach a shell, and what only works in a file, with its place', async () => {
    const wrong = await build({ from: { base, apt: ['git', "x'; id"], workdir: '$HOME' } });
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors.map((one: Json) => one.pointer)).toEqual([
      '/source/from/apt/1',
      '/source/from/workdir',
    ]);
    const requirements = await build({ from: { base, requirements: 'numpy\n-r more.txt\n' } });
    expect(requirements.status).toBe(422);
    expect(requirements.body.errors).toMatchObject([
      { pointer: '/source/from/requirements', message: expect.stringContaining('line 2') },
    ]);
    for (const source of [{}, { dockerfile: 'FROM a:1', from: { base } }])
      expect((await build(source)).body.errors).toMatchObject([{ pointer: '/source/dockerfile' }]);
  });

  it('B11 says what is wrong, with line, code and remedy', async () => {
    const dockerfile = 'FROM python\nARG HF_TOKEN\nRUNN x\nADD https://a.b/c /c\n';
    const { status, body } = await api.post('/v1/dockerfiles/lint', { dockerfile });
    expect(status).toBe(200);
    expect(body.warnings.map((one: Json) => [one.line, one.code])).toEqual([
      [1, 'from-without-tag'],
      [2, 'secret-name'],
      [3, 'unknown-instruction'],
      [4, 'add-remote'],
    ]);
    for (const one of body.warnings) expect(one.remedy).not.toBe('');
    const notebook = { dockerfile: 'FROM a:1\nUSER root\nRUN pip install --user x\n', notebook: true };
    const codes = (await api.post('/v1/dockerfiles/lint', notebook)).body.warnings.map(
      (one: Json) => one.code,
    );
    expect(codes).toEqual(['notebook-user-root', 'notebook-pip-user']);
  });

  it('B11 takes what a build takes, and no more', async () => {
    const lint = (body: object) => api.post('/v1/dockerfiles/lint', { dockerfile: 'FROM a:1\n', ...body });
    const args = (count: number, bytes = 1) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`A${i}`, 'x'.repeat(bytes)]));
    expect((await lint({ buildArgs: args(50) })).status).toBe(200);
    for (const buildArgs of [args(51), args(2, 20_000), { 'no-name': 'x' }, { A: '\0' }]) {
      const refused = await lint({ buildArgs });
      expect(refused.status, JSON.stringify(refused.body)).toBe(422);
      expect(refused.body.errors[0].pointer).toMatch(/^\/buildArgs/);
    }
    const long = await lint({ dockerfile: `FROM a:1\n#${'ß'.repeat(65_536)}` });
    expect(long.body.errors).toMatchObject([{ pointer: '/dockerfile' }]);
    // One letter each: the text is short, what it makes is not.
    const requirements = 'a\n'.repeat(16_000);
    const generated = await api.post('/v1/dockerfiles/generate', { base, requirements });
    expect(generated.body.errors).toMatchObject([{ pointer: '/requirements' }]);
    expect((await build({ from: { base, requirements } })).body.errors).toMatchObject([
      { pointer: '/source/from/requirements' },
    ]);
  });

  it('B11 every build has its warnings on record and timeline, and can refuse instead', async () => {
    const dockerfile = `FROM ${tinyBase}\nENV DB_PASSWORD=hunter2hunter2\n`;
    const { build: done } = await built({ dockerfile });
    expect(done.status).toBe('succeeded');
    expect(done.warnings).toMatchObject([{ code: 'secret-name', line: 2 }]);
    expect(JSON.stringify(done.warnings)).not.toContain('hunter2');
    const { items } = await api.read(`/v1/builds/${done.id}/events`);
    expect(items.filter((one: Json) => one.code === 'lint')).toMatchObject([
      { message: expect.stringContaining('line 2') },
    ]);
    const newest = async () => (await api.read('/v1/builds?limit=1')).items.map(({ id }: Json) => id);
    const before = await newest();
    const refused = await build({ dockerfile, lint: 'refuse' });
    expect(refused.status).toBe(422);
    expect(refused.body.type).toBe('urn:slipway:problem:dockerfile-refused');
    expect(refused.body.errors).toMatchObject([
      { pointer: '/source/dockerfile', message: expect.stringMatching(/^line 2: /) },
    ]);
    expect(await newest()).toEqual(before);
    const again = await api.post(`/v1/images/${done.imageId}/builds`, { lint: 'refuse' });
    expect(again.body.type).toBe('urn:slipway:problem:dockerfile-refused');
  });
});

/** Pulls with the operator's rights and runs; leaves neither container nor image. */
async function runIn(image: Json, command: string[]): Promise<string> {
  return pullAs(cloud, image.uri, (reference) =>
    run('docker', ['run', '--rm', '--network', 'none', reference, ...command]),
  );
}

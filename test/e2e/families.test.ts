/** B14: a family of images in dependency order, on the real engine and registry. */
import { expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

async function accepted(images: object[], headers?: Record<string, string>): Promise<Json> {
  const reply = await api.post('/v1/families', { images }, headers);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return reply.body;
}

const built = (family: Json): Promise<Json[]> =>
  Promise.all(family.builds.map(({ id }: Json) => api.until(`/v1/builds/${id}`, settled)));
const text = async ({ id }: Json) => (await api.log(`/v1/builds/${id}`)).map((line) => line.text).join('\n');

/** As Kubeflow's notebooks: base → jupyter → scipy, and a sibling of jupyter. */
const family = (of: string, base: string) => [
  { repository: `${of}/scipy`, tag: '1', dockerfile: `FROM ${of}/jupyter:1\nRUN cat /base /jupyter\n` },
  {
    repository: `${of}/rstudio`,
    tag: '1',
    dockerfile: `FROM ${tinyBase}\nCOPY --from=${of}/base:1 /base /from-base\nRUN cat /from-base\n`,
  },
  {
    repository: `${of}/jupyter`,
    tag: '1',
    dockerfile: 'ARG BASE_IMG\nFROM $BASE_IMG\nRUN echo jupyter > /jupyter\n',
    buildArgs: { BASE_IMG: `${cloud.registryHost}/acme/${of}/base:1` },
  },
  {
    repository: `${of}/base`,
    tag: '1',
    dockerfile: `FROM ${tinyBase}\nRUN sleep 6 && echo made-by-${base} of ${of} > /base\n`,
  },
];

it('B14 each is built from exactly the digest of its base; an edited base builds its descendants again', async () => {
  const of = unique('family');
  const first = await accepted(family(of, 'one'), { 'idempotency-key': of });
  const [base, rstudio, jupyter, scipy] = ['base', 'rstudio', 'jupyter', 'scipy'].map((name) =>
    first.builds.find(({ uri }: Json) => uri.endsWith(`${of}/${name}:1`)),
  ) as [Json, Json, Json, Json];
  const places = [base, jupyter, scipy].map(({ id }) => first.builds.findIndex((one: Json) => one.id === id));
  expect(places).toEqual([...places].sort());
  expect(first.images.map(({ uri }: Json) => uri)).toEqual(first.builds.map(({ uri }: Json) => uri));
  expect(base.waitsFor).toBeUndefined();
  expect([rstudio, jupyter, scipy].map(({ waitsFor }) => waitsFor)).toEqual([
    [base.id],
    [base.id],
    [jupyter.id],
  ]);
  expect([rstudio, jupyter, scipy].map(({ status, phase }) => [status, phase])).toEqual(
    Array(3).fill(['queued', 'waiting']),
  );
  expect(await accepted(family(of, 'one'), { 'idempotency-key': of })).toEqual(first);

  expect((await built(first)).map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
  const digest = async ({ id }: Json): Promise<string> => (await api.read(`/v1/builds/${id}`)).digest;
  expect(await text(jupyter)).toContain(`FROM ${base.uri}@${await digest(base)}`);
  expect(await text(scipy)).toContain(`FROM ${jupyter.uri}@${await digest(jupyter)}`);
  expect(await text(scipy)).toContain('made-by-one');
  const { items } = await api.read(`/v1/builds/${scipy.id}/events?limit=100`);
  const codes = items.map(({ code }: Json) => code);
  expect(
    codes.filter((code: string) => ['waiting', 'bases-built', 'submitted'].includes(code)).slice(0, 2),
  ).toEqual(['waiting', 'bases-built']);

  // The same again is there already; nothing is built.
  const again = await accepted(family(of, 'one'));
  expect(again.builds.map(({ id }: Json) => id)).toEqual(first.builds.map(({ id }: Json) => id));
  // A leaf that is edited is the only one that is built.
  const leaf = family(of, 'one').map((one) =>
    one.repository.endsWith('scipy') ? { ...one, dockerfile: `${one.dockerfile}RUN echo more\n` } : one,
  );
  const grown = await accepted(leaf);
  const changed = grown.builds.filter(({ id }: Json) => !first.builds.some((one: Json) => one.id === id));
  expect(changed.map(({ uri }: Json) => uri)).toEqual([scipy.uri]);
  await built(grown);

  const edited = await accepted(family(of, 'two'));
  const rebuilt = await built(edited);
  expect(rebuilt.map(({ status, cached }) => [status, cached])).toEqual(Array(4).fill(['succeeded', false]));
  const last = rebuilt.find(({ uri }) => uri === scipy.uri);
  expect(await text(last)).toContain('made-by-two');
  expect((await api.read(`/v1/images/${last.imageId}`)).digest).toBe(last.digest);
});

it('B14 a base that fails stops its descendants, which are never built', async () => {
  const of = unique('broken');
  const images = family(of, 'x').map((one) =>
    one.repository.endsWith('/base') ? { ...one, dockerfile: `FROM ${tinyBase}\nRUN exit 7\n` } : one,
  );
  const broken = await accepted(images);
  const ends = await built(broken);
  const base = ends.find(({ uri }) => uri.endsWith('/base:1'));
  expect(base).toMatchObject({ status: 'failed', failure: { code: 'step-failed' } });
  for (const end of ends.filter(({ id }) => id !== base.id)) {
    expect(end).toMatchObject({ status: 'failed', failure: { code: 'base-failed' } });
    expect(end.failure.message).toMatch(end.uri.endsWith('scipy:1') ? /jupyter:1 .* was not built/ : base.id);
    const { items } = await api.read(`/v1/builds/${end.id}/events?limit=100`);
    expect(items.map(({ code }: Json) => code)).not.toContain('submitted');
  }
  // What is mended goes on from there.
  const mended = await accepted(family(of, 'x'));
  expect((await built(mended)).map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
});

it('B14 circles, unknown images and names that are there twice are refused, and nothing is written', async () => {
  const of = unique('refused');
  const refused = async (images: object[]) => {
    const reply = await api.post('/v1/families', { images });
    expect(reply.status, JSON.stringify(reply.body)).toBe(422);
    return reply.body.errors;
  };
  const member = (name: string, from: string) => ({
    repository: `${of}/${name}`,
    dockerfile: `FROM ${from}\n`,
  });
  const circle = [member('a', `${of}/b`), member('b', `${of}/c:latest`), member('c', `${of}/a`)];
  expect(await refused(circle)).toEqual([
    {
      pointer: '/images/0/dockerfile',
      message: expect.stringMatching(
        /depends on itself: .*a:latest is built on .*b:latest is built on .*c:latest/,
      ),
    },
  ]);
  const there = `${cloud.registryHost}/acme/${of}/nobody:1`;
  expect(await refused([member('a', tinyBase), member('b', there)])).toEqual([
    {
      pointer: '/images/1/dockerfile',
      message: `builds on ${there}, which is neither in this family nor in its registry`,
    },
  ]);
  expect(await refused([member('a', tinyBase), member('a', tinyBase)])).toMatchObject([
    { pointer: '/images/1/repository' },
  ]);
  expect(await refused([member('a', tinyBase), { repository: `${of}/b` }])).toMatchObject([
    { pointer: '/images/1/dockerfile' },
  ]);
  const { items } = await api.read(`/v1/images?q=${of}`);
  expect(items).toEqual([]);
});

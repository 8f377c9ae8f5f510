/**
 * B9: the layer cache in the registry. Builds run on an engine of the test's own, whose data are thrown away between
 * builds as CodeBuild's machines are: what is cached there came from the registry.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshBuilder, startFreshBuilder } from '../../bench/fresh-builder.ts';
import { ensureTinyBase } from '../../scripts/base-image.ts';
import { type Engine, ensureEngine } from '../../scripts/engine.ts';
import { freePorts } from '../../scripts/ports.ts';
import { adminToken } from './admin.ts';
import { type Api, apiOf, type Json, settled, unique } from './client.ts';

let engine: Engine;
let builder: FreshBuilder;
beforeAll(async () => {
  engine = await ensureEngine({ yes: true });
  builder = await startFreshBuilder(engine, await freePorts());
});
afterAll(() => builder?.end());

const dockerfile = (base: string, nonce: string, last: string) =>
  [
    `FROM ${base}`,
    ...[1, 2, 3].map((i) => `RUN echo ${nonce}-${i} > /step-${i}`),
    `RUN echo ${last} > /last`,
    '',
  ].join('\n');

/** Which RUN steps were run and which came from a cache, in their order. */
async function outcome(
  api: Api,
  path: string,
  body: object,
): Promise<{ image: Json; steps: string[]; lines: string[] }> {
  const reply = await api.post(path, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const build = `/v1/builds/${reply.body.currentBuild.id}`;
  const lines: string[] = (await api.log(build)).map(({ text }) => text);
  expect((await api.until(build, settled)).status, lines.join('\n')).toBe('succeeded');
  const steps = lines.flatMap((line) => {
    const [, number, step] = /^(#\d+) \[(?:stage-0 )?\d+\/\d+\] RUN (.*)$/.exec(line) ?? [];
    if (number === undefined || step === undefined) return [];
    return [`${lines.includes(`${number} CACHED`) ? 'cached' : 'run'}`];
  });
  return { image: reply.body, steps, lines };
}

it('B9 an edited Dockerfile finds its unchanged steps in the registry, in another tag and only in its organisation', async () => {
  const { cloud } = builder;
  const acme = apiOf(cloud.apiUrl, cloud.token);
  const base = (await ensureTinyBase(engine, cloud, 'acme')).reference;
  const [nonce, repository] = [unique('cached'), unique('cached')];
  const source = (text: string) => ({
    source: { type: 'build', dockerfile: text },
    repository,
    registryId: 'reg_private',
  });

  const first = await outcome(acme, '/v1/images', { ...source(dockerfile(base, nonce, 'one')), tag: '1' });
  expect(first.steps).toEqual(['run', 'run', 'run', 'run']);

  await builder.engine.renew();
  const edited = await outcome(acme, `/v1/images/${first.image.id}/builds`, {
    dockerfile: dockerfile(base, nonce, 'two'),
  });
  expect(edited.steps).toEqual(['cached', 'cached', 'cached', 'run']);

  await builder.engine.renew();
  const otherTag = await outcome(acme, '/v1/images', {
    ...source(dockerfile(base, nonce, 'three')),
    tag: '2',
  });
  expect(otherTag.steps).toEqual(['cached', 'cached', 'cached', 'run']);

  // The very same repository, tag and steps in another organisation: nothing is there.
  await builder.engine.renew();
  const globex = apiOf(cloud.apiUrl, await adminToken(cloud, 'globex'));
  const theirs = (await ensureTinyBase(engine, cloud, 'globex')).reference;
  const other = await outcome(globex, '/v1/images', {
    ...source(dockerfile(theirs, nonce, 'one')),
    tag: '1',
  });
  expect(other.steps).toEqual(['run', 'run', 'run', 'run']);
});

it("B9 in one engine an organisation finds its own steps and cache mounts, and nobody else's", async () => {
  const { cloud } = builder;
  const nonce = unique('apart');
  const built = async (organisation: string, more = '') => {
    const token = organisation === 'acme' ? cloud.token : await adminToken(cloud, organisation);
    const base = (await ensureTinyBase(engine, cloud, organisation)).reference;
    const kept = `/kept-${nonce}`;
    const mount = `--mount=type=cache,target=${kept} echo "kept: $(ls ${kept} | wc -l)${more}" && touch ${kept}/one`;
    const source = { type: 'build', dockerfile: `FROM ${base}\nRUN echo ${nonce}\nRUN ${mount}\n` };
    // Always another repository: what is found there is the engine's.
    const target = { repository: unique('apart'), tag: '1', registryId: 'reg_private' };
    const { steps, lines } = await outcome(apiOf(cloud.apiUrl, token), '/v1/images', { source, ...target });
    return { steps, kept: lines.flatMap((line) => /^#\d+ \d+\.\d+ kept: (\d+)/.exec(line)?.[1] ?? []) };
  };
  expect(await built('acme')).toEqual({ steps: ['run', 'run'], kept: ['0'] });
  expect(await built('acme')).toEqual({ steps: ['cached', 'cached'], kept: [] });
  expect(await built('acme', ' again')).toEqual({ steps: ['cached', 'run'], kept: ['1'] });
  expect(await built('globex')).toEqual({ steps: ['run', 'run'], kept: ['0'] });
});

/**
 * B6: a build ends where the engine asks for an image that was not read in its Dockerfile. These are refused before they
 * are built; here they reach the engine all the same.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDocker, findDocker } from '../../builder/docker.ts';
import { build } from '../../builder/phases/build.ts';
import type { Work } from '../../builder/work.ts';
import { baseImages, unclearBases } from '../../shared/dockerfile/bases.ts';
import { environmentWith, smallBuild } from '../builder/small-build.ts';
import { sha256 } from '../shared/registry/servers.ts';
import { type AnyImages, startAnyImages } from './any-images.ts';

let registry: AnyImages;
let work: Work;
let client: string;

beforeAll(async () => {
  registry = await startAnyImages();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-unexpected-'));
  const [config, context, secrets] = ['docker', 'context', 'secrets'].map((name) => join(folder, name));
  work = {
    folder,
    docker: { config: config ?? '' },
    dockerfile: join(folder, 'Dockerfile'),
    context: context ?? '',
    secrets: secrets ?? '',
  };
  for (const one of [work.docker.config, work.context, work.secrets]) await mkdir(one);
  client = await findDocker();
});
afterAll(async () => {
  await createDocker(client, work.docker.config).run(
    ['rmi', '--force', smallBuild(registry.host).target],
    () => undefined,
  );
  await registry.stop();
  await rm(work.folder, { recursive: true, force: true });
});

/** Every base that is read is pinned, as after the look-up. */
function built(dockerfile: string): Promise<void> {
  const digestOf = (reference: string) => sha256(registry.manifestOf(reference, 'pinned'));
  const bases = Object.fromEntries(baseImages(dockerfile, {}).map((one) => [one, digestOf(one)]));
  const spec = smallBuild(registry.host, { dockerfile, bases });
  const state = { spec, client, cacheExists: false, cacheMode: 'inline' as const, timingsMs: {} };
  return build(environmentWith('inline'), work, state);
}

const inRegistry = (lines: string[]) => `${lines.join('\n').replaceAll('R/', `${registry.host}/`)}\n`;

it.each([
  [
    'behind a letter that ends a flag',
    ['FROM R/base:1', 'RUN --mount=type=cache,target=/c,id=à--mount=from=R/secret:1,target=/m ["/x"]'],
  ],
  [
    'by a number behind the stages',
    ['FROM scratch AS a', 'COPY --from=R/secret:1 /x /', 'FROM scratch', 'COPY --from=2 /x /'],
  ],
])('B6 an image named %s ends the build before anything is pushed', async (_, lines) => {
  const dockerfile = inRegistry(lines);
  expect(unclearBases(dockerfile, {})).toBeDefined();
  await expect(built(dockerfile)).rejects.toMatchObject({
    failure: {
      code: 'base-image-unexpected',
      message: expect.stringContaining(`${registry.host}/secret:1`),
    },
  });
  expect(registry.asked.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
});

it('B6 images that are read are built on', async () => {
  await built(
    inRegistry(['FROM R/base:1 AS one', 'COPY --from=R/tools:1 /x /y', 'FROM one', 'COPY --from=one /y /z']),
  );
});

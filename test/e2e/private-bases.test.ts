/** B6: base images of private registries, in every place that a Dockerfile names one. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { apiOf, unique } from './client.ts';
import { connect } from './connected.ts';
import { build } from './private-builds.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

const accounts = {
  left: { username: 'lea', password: unique('left') },
  right: { username: 'ria', password: unique('right') },
};
let left: DockerRegistry;
let right: DockerRegistry;
beforeAll(async () => {
  [left, right] = await Promise.all([
    startDockerRegistry({ account: accounts.left }),
    startDockerRegistry({ account: accounts.right }),
  ]);
});
afterAll(() => Promise.all([left.stop(), right.stop()]));

it('B6 stages, COPY --from and --mount=from of two private registries, each with its own account', async () => {
  // Of two registries at one host, the longer path is the one whose account works.
  const wrong = { username: 'nobody', password: 'wrong' };
  await connect(left.host, wrong, '/elsewhere');
  const registryIds = {
    left: await connect(left.host, accounts.left, '/team'),
    right: await connect(right.host, accounts.right),
  };
  // New every time, so that no engine has it cached.
  const words = { left: unique('left'), right: unique('right') };
  const bases = await Promise.all(
    (['left', 'right'] as const).map((side) =>
      build(`FROM ${tinyBase}\nRUN echo ${words[side]} > /${side}\n`, {
        registryId: registryIds[side],
        repository: unique(side),
      }),
    ),
  );
  const [one, two] = bases;
  expect(bases, JSON.stringify(bases)).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
  expect(one.uri).toContain(`${left.host}/team/`);
  const done = await build(
    [
      'ARG LEFT',
      'FROM $LEFT AS one',
      `FROM ${tinyBase}`,
      'COPY --from=one /left /copied/left',
      `COPY --from=${two.uri} /right /copied/right`,
      `RUN --mount=type=bind,from=${two.uri},target=/mounted cat /copied/left /copied/right /mounted/right`,
      '',
    ].join('\n'),
    {},
    { buildArgs: { LEFT: one.uri } },
  );
  const text = (await api.log(`/v1/builds/${done.id}`)).map((line) => line.text).join('\n');
  expect(done, text).toMatchObject({ status: 'succeeded' });
  for (const word of Object.values(words)) expect(text).toMatch(new RegExp(`^#\\d+ [\\d.]+ ${word}$`, 'm'));
  expect(text).toContain(`${one.uri}@${one.digest}`);
  for (const { password } of Object.values(accounts)) expect(text).not.toContain(password);
});

it('B6 wrong credentials, and none: base-image-unauthorized', async () => {
  const registry = await startDockerRegistry({ account: { username: 'someone', password: 'else' } });
  try {
    const base = `${registry.host}/hidden/base:1`;
    const dockerfile = `FROM ${tinyBase}\nCOPY --from=${base} /x /x\n`;
    expect(await build(`FROM ${base}\n`)).toMatchObject({
      status: 'failed',
      failure: { code: 'base-image-unauthorized' },
    });
    await connect(registry.host, { username: 'someone', password: 'wrong' });
    for (const text of [`FROM ${base}\n`, dockerfile]) {
      const { status, failure } = await build(text);
      expect({ status, code: failure?.code }, JSON.stringify(failure)).toEqual({
        status: 'failed',
        code: 'base-image-unauthorized',
      });
    }
  } finally {
    await registry.stop();
  }
});

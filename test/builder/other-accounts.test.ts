/** B6: a Dockerfile whose images need several accounts at one host, as the engine gets it. */
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Aws } from '../../builder/aws.ts';
import { loginOf, writeDockerConfig } from '../../builder/credentials.ts';
import { configFor, logInOthers, reachBases } from '../../builder/other-accounts.ts';
import type { Work } from '../../builder/work.ts';
import { smallBuild } from './small-build.ts';

let work: Work;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-accounts-'));
  work = {
    folder,
    docker: { config: join(folder, 'docker') },
    dockerfile: join(folder, 'Dockerfile'),
    context: join(folder, 'context'),
    secrets: join(folder, 'secrets'),
  };
  await mkdir(work.docker.config);
});
afterAll(() => rm(work.folder, { recursive: true }));

const host = 'registry.example';
const digest = `sha256:${'a'.repeat(64)}`;
const account = (name: string) => ({ username: name, password: `password of ${name}` });
const aws = { registryCredentials: (arn: string) => Promise.resolve(account(arn)) } as Aws;
const other = (repository: string, secretArn: string) => ({
  repository,
  credentials: { kind: 'secret' as const, host, secretArn },
});
const spec = smallBuild(host, {
  buildArgs: { BUILDKIT_SYNTAX: `${host}/front/end:1 more`, BASE: `${host}/right/base:1` },
  bases: { [`${host}/front/end:1`]: digest },
  registries: [{ kind: 'secret', host, secretArn: 'left' }],
  otherAccounts: [other('right/base', 'right'), other('front/end', 'front')],
  target: `${host}/left/app:1`,
  privateRegistries: [],
});

test('every image has the account that counts for it, in a folder of its own', async () => {
  await writeDockerConfig(work.docker.config, { [host]: account('left') });
  await logInOthers(spec, work, aws);
  const loginFor = (repository: string) => loginOf(configFor(spec, work, { host, repository }), host);
  expect(await loginFor('right/base')).toEqual(account('right'));
  expect(await loginFor('front/end')).toEqual(account('front'));
  expect(await loginFor('left/base')).toEqual(account('left'));
  expect(configFor(spec, work, { host: 'other.example', repository: 'right/base' })).toBe(work.docker.config);
});

test('images of other accounts, the program that reads it all among them, are named where the engine gets them', async () => {
  const dockerfile = `ARG BASE\nFROM $BASE AS one\nFROM ${host}/left/base:1@${digest}\nCOPY --from=one /x /x\n`;
  const { buildArgs, withOwnNames, stop } = await reachBases({ ...spec, dockerfile }, work);
  try {
    const written = await readFile(work.dockerfile, 'utf8');
    const [, port] = /^FROM 127\.0\.0\.1:(\d+)\/0\/right\/base:1 AS one$/m.exec(written) ?? [];
    const loopback = `127.0.0.1:${port}`;
    expect(written).toContain(`\nFROM ${host}/left/base:1@${digest}\n`);
    expect(buildArgs).toEqual({
      ...spec.buildArgs,
      BUILDKIT_SYNTAX: `${loopback}/1/front/end:1@${digest} more`,
    });
    expect(withOwnNames(`#4 FROM ${loopback}/0/right/base:1`)).toBe(`#4 FROM ${host}/right/base:1`);
    // The engine is given one account for the host, as before, and one for what it gets from here.
    expect(await loginOf(work.docker.config, host)).toEqual(account('left'));
    const here = await loginOf(work.docker.config, loopback);
    expect(here?.password).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(join(work.docker.config, 'config.json'))).mode & 0o777).toBe(0o600);
  } finally {
    await stop();
  }
});

test('without other accounts the Dockerfile stays as it is', async () => {
  const { otherAccounts: _, ...plain } = spec;
  const dockerfile = `FROM ${host}/right/base:1\n`;
  const { buildArgs, withOwnNames, stop } = await reachBases({ ...plain, dockerfile }, work);
  await stop();
  expect(await readFile(work.dockerfile, 'utf8')).toBe(dockerfile);
  expect(buildArgs.BUILDKIT_SYNTAX).toBe(`${host}/front/end:1@${digest} more`);
  expect(withOwnNames('127.0.0.1:1/0/x')).toBe('127.0.0.1:1/0/x');
});

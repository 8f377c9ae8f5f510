import { expect, test } from 'vitest';
import { createEngine } from '../../builder/validation/container.ts';

const environment = { PATH: process.env.PATH, CODEBUILD_BUILD_ID: 'builds:1' };

test.each([
  [
    'with an image that it has fetched',
    'host/image@sha256:0',
    environment,
    ['build-id=builds:1', 'fetched-image=host/image@sha256:0'],
  ],
  ['with an image that was there', undefined, environment, ['build-id=builds:1']],
  ['outside of CodeBuild', undefined, { PATH: process.env.PATH }, []],
])('containers of a check are labelled with its build: %s', async (_, image, env, labels) => {
  // Prints what Docker's client would be called with.
  const engine = createEngine('/bin/echo', '/nowhere', ['name'], image, env);
  const { lines } = await engine.run(['run', '--name', 'name', 'image']);
  const options = labels.map((one) => `--label com.amazonaws.codebuild.${one} `).join('');
  expect(lines).toEqual([`run ${options}--name name image`]);
  expect((await engine.run(['logs', 'name'])).lines).toEqual(['logs name']);
  await engine.end();
});

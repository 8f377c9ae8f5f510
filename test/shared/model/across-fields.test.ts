import { expect, it } from 'vitest';
import type * as z from 'zod';
import { getExperimentLogs } from '../../../functions/experiments/contract.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newFamilySchema } from '../../../shared/model/family.ts';
import { newImageSchema } from '../../../shared/model/image.ts';
import { newRegistrySchema, registryChangeSchema } from '../../../shared/model/registry.ts';

const build = { type: 'build', dockerfile: 'FROM x' };
const quay = { title: 'Quay', url: 'https://quay.io/team', type: 'quay' };

const wrong: [string, z.ZodType | undefined, unknown, string[]][] = [
  ['an image', newImageSchema, { source: build, tag: 7 }, ['tag', 'repository']],
  [
    'a reference',
    newImageSchema,
    { source: { type: 'reference', url: 'a/b' }, repository: 'x', readme: 1 },
    ['readme', 'repository'],
  ],
  ['an image without a source', newImageSchema, { tag: 7 }, ['source', 'tag']],
  ['a registry', newRegistrySchema, { ...quay, title: '', username: 'robot' }, ['title', 'password']],
  ['a change of a registry', registryChangeSchema, { url: 5, username: 'robot', unknown: 1 }, ['', 'url']],
  ['a family', newFamilySchema, { images: [{ repository: 'a' }], other: 1 }, ['', 'images']],
  [
    'an experiment',
    newExperimentSchema,
    { image: 'a', build: { repository: 'b', dockerfile: 'FROM x' }, timeoutSeconds: 1 },
    ['image', 'timeoutSeconds'],
  ],
  [
    'a command',
    newExperimentSchema,
    { command: ['x'.repeat(8000), 'x'.repeat(8000), 'x'.repeat(800)], name: '\u202e' },
    ['command', 'name'],
  ],
  [
    'a command of another type',
    newExperimentSchema,
    { command: 5, env: 5, name: '' },
    ['command', 'env', 'name'],
  ],
  [
    'a build of an experiment',
    newExperimentSchema,
    { build: { tag: 7 } },
    ['build.dockerfile', 'build.repository', 'build.tag'],
  ],
  [
    'lines of a log',
    getExperimentLogs.query,
    { from: '5', to: '2', limit: 'x', other: '1' },
    ['', 'limit', 'to'],
  ],
];

it.each(wrong)('one wrong field of %s hides no other', (_, schema, value, places) => {
  const { error } = schema?.safeParse(value) ?? {};
  const seen = new Set(error?.issues.map(({ path }) => path.join('.')));
  for (const place of places)
    expect(
      [...seen].some((one) => one === place || one.startsWith(`${place}.`)),
      `${place} of ${[...seen]}`,
    ).toBe(true);
});

it('what is right stays right', () => {
  expect(newImageSchema.safeParse({ source: build, repository: 'a/b' }).success).toBe(true);
  expect(newRegistrySchema.safeParse({ ...quay, username: 'robot', password: 'x' }).success).toBe(true);
  expect(newExperimentSchema.safeParse({ image: 'python:3.13', command: ['python'] }).success).toBe(true);
});

import { expect, it } from 'vitest';
import type * as z from 'zod';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newTokenSchema } from '../../../shared/model/organisation.ts';
import { newRegistrySchema } from '../../../shared/model/registry.ts';

const wrong = (schema: z.ZodType, value: object) =>
  (schema.safeParse(value).error?.issues ?? [])
    .filter(({ code }) => code === 'custom')
    .map(({ path }) => path);

it.each(['a\0b', 'a\nb', '\u001b[31mred', 'a\u0085b', 'a\u2028b'])(
  'E1, R1, O4 names, tags, projects and titles are one line without control characters: %j',
  (text) => {
    expect(wrong(newExperimentSchema, { name: text, tags: ['fine', text], project: text })).toEqual([
      ['name'],
      ['tags', 1],
      ['project'],
    ]);
    expect(wrong(newTokenSchema, { title: text })).toEqual([['title']]);
    expect(wrong(newRegistrySchema, { title: text, url: 'quay.io', type: 'quay' })).toContainEqual(['title']);
  },
);

it('E1 other text is left alone but for the space around it', () => {
  const name = 'Größe 👩🏽‍🔬 – 試験';
  expect(newExperimentSchema.parse({ name: ` ${name}\n` }).name).toBe(name);
});

/** B1: what a build may be asked to do is limited, so that it fits where it is kept. */
import { expect, test } from 'vitest';
import { rebuildSchema } from '../../../shared/model/new-build.ts';

const problems = (asked: object) =>
  rebuildSchema.safeParse(asked).error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`);

test('B1 Dockerfiles and build arguments are measured in bytes, not in characters', () => {
  const start = 'FROM scratch\n#';
  const fits = start + 'ß'.repeat((131_072 - start.length) / 2);
  expect(problems({ dockerfile: fits })).toBeUndefined();
  expect(problems({ dockerfile: `${fits}ß` })).toEqual(['dockerfile: must be at most 131072 bytes']);

  expect(problems({ buildArgs: { A: `x${'ß'.repeat(16_383)}` } })).toBeUndefined();
  expect(problems({ buildArgs: { A: 'ß'.repeat(16_384) } })).toEqual([
    'buildArgs: must have names and values of at most 32768 bytes together',
  ]);
});

test('B1 B16 a build takes at most 50 arguments and 50 secrets', () => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`name${i}`, 'value']));
  expect(problems({ buildArgs: entries(50), secrets: entries(50) })).toBeUndefined();
  expect(problems({ buildArgs: entries(51), secrets: entries(51) })).toEqual([
    'buildArgs: must have at most 50 entries',
    'secrets: must have at most 50 entries',
  ]);
});

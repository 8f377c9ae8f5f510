import { expect, test } from 'vitest';
import { commandAndEnvLimitBytes, newExperimentSchema } from '../../../shared/model/experiment.ts';

/** With so many bytes, the names of the variables included. */
function asking(bytes: number) {
  const part = 'x'.repeat(bytes / 4);
  return { command: [part, part], env: { X: part, Y: part.slice(2) } };
}

test('E1 command and environment have their bytes together, and what is too much is said of a field', () => {
  expect(newExperimentSchema.safeParse(asking(commandAndEnvLimitBytes)).success).toBe(true);
  expect(newExperimentSchema.safeParse(asking(commandAndEnvLimitBytes + 4)).error?.issues).toMatchObject([
    { path: ['command'], message: 'must be at most 16384 bytes together with `env`' },
  ]);
});

test.each(['\u202e', 'a\u202eb:1', 'a\u200bb', 'a\nb', 'a\u0000'])(
  "an image's name holds nothing that can't be seen: %j",
  (image) => {
    expect(newExperimentSchema.safeParse({ image }).error?.issues).toMatchObject([{ path: ['image'] }]);
  },
);

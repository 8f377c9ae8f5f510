/** What the builder says is kept, told, mailed and listed, so it has an end. */
import { expect, test } from 'vitest';
import { readResult } from '../../../shared/build/result.ts';

const resultOf = (written: string | undefined) =>
  readResult(
    {
      read: async () => written,
      write: async () => undefined,
      remove: async () => undefined,
      exists: async () => true,
    },
    'acme',
    'bld_1',
  );
const failed = (failure: object) =>
  JSON.stringify({ outcome: 'failed', failure: { code: 'step-failed', ...failure }, timingsMs: {} });

test('B4 a step as long as a Dockerfile keeps its beginning and its end', async () => {
  const step = `[2/2] RUN ${'x'.repeat(60_000)} ; exit 3`;
  const result = await resultOf(
    failed({
      step,
      message: `${step} ended with exit code 3.`,
      lastLines: Array(100).fill('y'.repeat(9999)),
    }),
  );
  if (result?.outcome !== 'failed') throw new Error('it failed');
  const { message, step: shown = '', lastLines = [] } = result.failure;
  expect(message).toMatch(/^\[2\/2\] RUN x+…x+ ; exit 3 ended with exit code 3\.$/);
  expect(shown).toMatch(/^\[2\/2\] RUN x+…x+ ; exit 3$/);
  expect([message.length, shown.length, lastLines.length]).toEqual([2500, 2000, 25]);
  expect(Math.max(...lastLines.map((line) => line.length))).toBe(500);
});

test('B4 no character is cut in two', async () => {
  const result = await resultOf(failed({ message: `a${'𝄞'.repeat(5000)}` }));
  if (result?.outcome !== 'failed') throw new Error('it failed');
  expect(result.failure.message.isWellFormed()).toBe(true);
});

test('what is short stays, and what is no result is none', async () => {
  const short = { message: 'It failed.', step: '[1/1] RUN false', exitCode: 1, lastLines: ['no'] };
  expect(await resultOf(failed(short))).toMatchObject({ failure: short });
  for (const none of [undefined, '', '{"outcome":', '{"outcome":"gone"}', '[]'])
    expect(await resultOf(none)).toBeUndefined();
});

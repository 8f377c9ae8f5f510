/** B20: what engines say where they leave lines of a step out. */
import { expect, test } from 'vitest';
import { clippedIn } from '../../../shared/build/engine-log.ts';

test.each([
  ['#5 0.135 [output clipped, log limit 200KiB/s reached]', { step: '5', limit: '200KiB/s' }],
  ['#12 61.002 [output clipped, log limit 2MiB reached]', { step: '12', limit: '2MiB' }],
  ['#5 0.357 [output clipped, log limit -1B reached]', { step: '5', limit: '-1B' }],
  ['#5 0.135 echo "[output clipped, log limit 2MiB reached]"', undefined],
  ['[output clipped, log limit 2MiB reached]', undefined],
  ['#5 DONE 0.2s', undefined],
])('%s', (line, clipped) => {
  expect(clippedIn(line)).toEqual(clipped);
});

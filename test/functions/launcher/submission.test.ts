/** E2: Batch ends a job whose overrides have more than 8192 characters, and only once a host was found for it. */
import { expect, it } from 'vitest';
import { submissionOf } from '../../../functions/launcher/submission.ts';
import type { RunCompute } from '../../../shared/model/stage.ts';
import { record } from '../../shared/experiment/records.ts';

const longest = 'ü'.repeat(128);
const compute: RunCompute = {
  use: 'run',
  name: 'c'.repeat(64),
  vcpus: 192,
  memoryMiB: 2_000_000,
  gpus: 16,
  pricePerHourUsd: 100,
  queues: ['cpu'],
};

/** Every character that isn't ASCII counts as six, should they be escaped on the way. */
const escapedLength = (value: unknown) => JSON.stringify(value).replace(/[^\x20-\x7e]/g, '\\u0000').length;

it('E2 overrides are short, whatever the name, the project, the author and the image, and hold nothing of the command', () => {
  const attempt = { number: 10, queue: 'cpu', stage: 'submitting', createdAt: '2026-11-20' } as const;
  const experiment = record({
    name: longest,
    project: longest,
    author: `${'a'.repeat(64)}@${'b'.repeat(189)}`,
    image: { uri: `${'r'.repeat(512)}@sha256:${'0'.repeat(64)}` },
    command: ['echo', 'x'.repeat(8000)],
    env: { LONG: 'y'.repeat(8000) },
    jobDefinition: 'definition',
    attempts: [attempt],
  });
  const next = submissionOf(experiment, attempt, {
    stage: 'production',
    organisation: 'o'.repeat(32),
    compute,
    apiUrl: `https://${'d'.repeat(200)}.example`,
  });
  if (next.next !== 'submit') throw new Error('nothing is submitted');
  expect(next.submit.environment).toContainEqual({ Name: 'SLIPWAY_JOB_NAME', Value: longest });
  expect(escapedLength({ Environment: next.submit.environment })).toBeLessThan(8192);
});

/** B4: what to do about a failure names the job's own image and registry, and the route of its kind. */
import { describe, expect, test } from 'vitest';
import { adviceOn } from '../../../shared/build/advice.ts';
import { endOf } from '../../../shared/build/end.ts';
import { type BuildFailureCode, buildFailures } from '../../../shared/model/build-failures.ts';

const job = { kind: 'build', imageId: 'img_1', registryId: 'reg_1' } as const;
const codes = Object.keys(buildFailures) as BuildFailureCode[];

describe('B4 how to try again', () => {
  test.each(codes)('%s: has nothing left to be put in', (code) => {
    for (const kind of ['build', 'mirror', 'validation'] as const) {
      const { likelyCause, howToRetry } = adviceOn({ ...job, kind }, { code });
      expect(likelyCause + howToRetry).not.toMatch(/\{|undefined/);
      expect(howToRetry).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('names the registry where that is to be mended, not the image', () => {
    expect(adviceOn(job, { code: 'push-unauthorized' }).howToRetry).toContain('PATCH /v1/registries/reg_1)');
    expect(adviceOn(job, { code: 'target-unavailable' }).howToRetry).toContain('/v1/registries/reg_1/check');
  });

  test.each(['base-image-unauthorized', 'source-unauthorized'] as const)(
    '%s: credentials that were refused are changed; a registry without any is connected',
    (code) => {
      const changed = adviceOn(job, { code, registryId: 'reg_base' }).howToRetry;
      expect(changed).toContain('PATCH /v1/registries/reg_base)');
      expect(changed).not.toContain('onnect');
      expect(changed).not.toMatch(/\{|undefined/);
      expect(adviceOn(job, { code }).howToRetry).toContain('(POST /v1/registries)');
    },
  );

  test('is asked for as the job was: I7 a mirror of its source, I10 a validation of its image', () => {
    const retry = (kind: 'build' | 'mirror' | 'validation') =>
      adviceOn({ ...job, kind, sourceImageId: 'img_source' }, { code: 'builder-lost' }).howToRetry;
    expect(retry('build')).toContain('POST /v1/images/img_1/builds');
    expect(retry('mirror')).toContain('POST /v1/images/img_source/mirrors');
    expect(retry('validation')).toContain('POST /v1/images/img_1/validations');
  });

  test('tells waiting too long for a machine from building too long', () => {
    const phase = (type: string, outcome: 'SUCCEEDED' | 'TIMED_OUT') => ({ type, outcome, endedAt: '' });
    const codeOf = (...phases: ReturnType<typeof phase>[]) =>
      endOf({}, 'TIMED_OUT', undefined, phases).failure?.code;
    expect(codeOf(phase('QUEUED', 'TIMED_OUT'))).toBe('queue-timeout');
    expect(
      codeOf(phase('QUEUED', 'SUCCEEDED'), phase('PROVISIONING', 'SUCCEEDED'), phase('BUILD', 'TIMED_OUT')),
    ).toBe('timed-out');
  });
});

test('B10 of a Dockerfile that was generated: what it was generated from is to be corrected', () => {
  for (const code of ['step-failed', 'base-image-not-found', 'dockerfile-invalid'] as const) {
    const { likelyCause, howToRetry } = adviceOn({ ...job, isGenerated: true }, { code });
    expect(howToRetry).toMatch(/`from(\.base)?`/);
    expect(howToRetry).toContain('POST /v1/images/img_1/builds');
    expect(`${likelyCause} ${howToRetry}`).not.toMatch(/send the Dockerfile|\{/);
  }
  expect(adviceOn({ ...job, isGenerated: true }, { code: 'disk-full' }).howToRetry).toMatch(
    /^Make the image/,
  );
});

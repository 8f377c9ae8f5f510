import { describe, expect, it } from 'vitest';
import { failureOf, nextQueue, reasonOf } from '../../../shared/experiment/verdict.ts';
import { job } from './records.ts';

const launched = { command: ['python'], entrypoint: 'replace' as const };
const failed = (fields: Parameters<typeof job>[0]) =>
  failureOf(job({ status: 'FAILED', ...fields }), {}, launched)?.code;
const notStarted = (containerReason: string) =>
  failed({ statusReason: 'Task failed to start', containerReason });
const essential = 'Essential container in task exited';

describe('E1, E15 why a job ended', () => {
  it.each([
    ['host-lost', failed({ statusReason: 'Host EC2 (instance i-0abc) terminated.', startedAt: 1 })],
    ['timed-out', failed({ statusReason: 'Job attempt duration exceeded timeout', exitCode: 137 })],
    [
      'out-of-memory',
      failed({ exitCode: 137, containerReason: 'OutOfMemoryError: Container killed due to memory usage' }),
    ],
    ['exit-code', failed({ exitCode: 3, statusReason: essential })],
    ['exit-code', failed({ exitCode: 137, statusReason: essential })],
    ['command-not-found', failed({ exitCode: 127, statusReason: essential })],
    ['command-not-executable', failed({ exitCode: 126, statusReason: essential })],
    [
      'image-not-found',
      notStarted('CannotPullContainerError: Error response from daemon: manifest for x not found'),
    ],
    ['image-unauthorized', notStarted('CannotPullContainerError: pull access denied for x')],
    ['image-pull-failed', notStarted('CannotPullContainerError: context deadline exceeded')],
    [
      'image-unauthorized',
      notStarted(
        'CannotPullECRContainerError: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: ecr:GetAuthorizationToken on resource: *',
      ),
    ],
    [
      'image-not-found',
      notStarted(
        "CannotPullECRContainerError: RepositoryNotFoundException: The repository with name 'acme/x' does not exist in the registry",
      ),
    ],
    ['image-pull-failed', notStarted('CannotPullECRContainerError: ECR.ThrottlingException: Rate exceeded')],
    [
      'image-pull-failed',
      notStarted(
        'CannotPullImageManifestError: Error response from daemon: Get "https://x/v2/": i/o timeout',
      ),
    ],
    [
      'image-unauthorized',
      notStarted('CannotPullContainerError: not authorized to perform: ecr:BatchGetImage on resource x'),
    ],
    [
      'image-without-shell',
      notStarted(
        'CannotStartContainerError: OCI runtime create failed: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
      ),
    ],
    [
      'command-not-found',
      notStarted('CannotStartContainerError: exec: "trainn": executable file not found in $PATH'),
    ],
    ['command-not-executable', notStarted('CannotStartContainerError: exec: "/data": permission denied')],
    ['launch-failed', notStarted('ResourceInitializationError: unable to pull secrets')],
    [
      'no-capacity',
      failed({
        statusReason: 'Canceled by JobStateTimeLimitAction: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
      }),
    ],
    ['compute-unavailable', failed({ statusReason: 'Canceled: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT' })],
    ['launch-failed', failed({ statusReason: 'who knows' })],
    ['job-lost', failed({ statusReason: 'who knows', startedAt: 1 })],
  ])('%s', (code, found) => {
    expect(found).toBe(code);
  });

  it("carries AWS's own words, and our own reason where we ended it", () => {
    expect(failureOf(job({ status: 'FAILED', statusReason: 'who knows' }), {}, launched)?.message).toContain(
      'who knows',
    );
    const ending = reasonOf('queue-timeout');
    expect(failureOf(job({ status: 'FAILED', exitCode: 137 }), { ending }, launched)).toBe(ending);
    expect(failureOf(job({ status: 'SUCCEEDED' }), { ending }, launched)).toBeUndefined();
  });
});

describe('E15 which queue the next attempt goes to', () => {
  const next = (code: Parameters<typeof reasonOf>[0], done: string[], attempts: number) =>
    nextQueue(
      {
        attempts: done.map((queue, i) => ({
          number: i + 1,
          queue,
          stage: 'ended',
          createdAt: '',
          reason: reasonOf(code),
        })),
        retry: { attempts, on: ['host-lost', 'no-capacity', 'error'] },
      },
      ['spot', 'spot-large', 'on-demand'],
    );

  it('moves on after a lost host or missing capacity, and ends on the last queue', () => {
    expect(next('host-lost', ['spot'], 5)).toBe('spot-large');
    expect(next('host-lost', ['spot'], 2)).toBe('on-demand');
    expect(next('no-capacity', ['spot', 'spot-large'], 5)).toBe('on-demand');
    expect(next('queue-timeout', ['spot', 'spot-large', 'on-demand'], 5)).toBe('on-demand');
    expect(next('host-lost', ['spot', 'on-demand'], 2)).toBeUndefined();
  });

  it('stays after an error of the command, and gives up where a retry repeats the failure', () => {
    expect(next('exit-code', ['spot'], 2)).toBe('spot');
    for (const code of ['command-not-found', 'timed-out', 'image-not-found', 'compute-unavailable'] as const)
      expect(next(code, ['spot'], 5)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import type { ComputeEnvironment, JobQueue } from '../../../local/batch/declared.ts';
import { instanceType } from '../../../local/batch/instance-types.ts';
import { type Held, placeJob } from '../../../local/batch/placement.ts';
import { shouldRetry } from '../../../local/batch/retry.ts';
import { createShareUsage } from '../../../local/batch/share-usage.ts';

const environment = (arn: string, types: string[], maxVcpus = 8): ComputeEnvironment => ({
  name: arn,
  arn,
  enabled: true,
  kind: 'EC2',
  maxVcpus,
  instanceTypes: types.map((name) => ({ name, offers: instanceType(name) })),
});
const queueOf = (...environments: ComputeEnvironment[]): JobQueue => ({
  name: 'q',
  arn: 'q',
  enabled: true,
  priority: 1,
  environments,
  timeLimitActions: [],
});
const needs = (vcpus: number, memoryMiB: number, gpus = 0) => ({ vcpus, memoryMiB, gpus });
const machine = { vcpus: 4, memoryMiB: 16_384, gpuIds: [0, 1] };
const holding = (environmentArn: string, vcpus: number, memoryMiB: number, gpuIds: number[] = []): Held => ({
  environmentArn,
  vcpus,
  memoryMiB,
  gpus: gpuIds.length,
  gpuIds,
});

describe('E2 a job is placed', () => {
  const spot = environment('spot', ['g5.xlarge'], 4);
  const onDemand = environment('on-demand', ['g5.xlarge'], 8);
  const queue = queueOf(spot, onDemand);

  test('in the first environment that has room, the next one after that', () => {
    expect(placeJob(needs(1, 1024), queue, [], machine)).toMatchObject({
      kind: 'placed',
      environment: { arn: 'spot' },
    });
    expect(placeJob(needs(1, 1024), queue, [holding('spot', 4, 0)], { ...machine, vcpus: 8 })).toMatchObject({
      kind: 'placed',
      environment: { arn: 'on-demand' },
    });
  });

  test('on GPUs that nobody holds', () => {
    expect(placeJob(needs(1, 1024, 1), queue, [holding('spot', 1, 1, [0])], machine)).toMatchObject({
      gpuIds: [1],
    });
    expect(
      placeJob(needs(1, 1024, 1), queue, [holding('spot', 1, 1, [0]), holding('spot', 1, 1, [1])], machine),
    ).toEqual({ kind: 'waits' });
  });

  test('when the machine has memory and cores left', () => {
    expect(placeJob(needs(1, 8192), queue, [holding('spot', 1, 9000)], machine)).toEqual({ kind: 'waits' });
    expect(placeJob(needs(2, 1024), queue, [holding('spot', 3, 1024)], machine)).toEqual({ kind: 'waits' });
  });

  test('with more vCPUs than the machine has, when nothing else runs', () => {
    const small = { ...machine, vcpus: 2 };
    expect(placeJob(needs(4, 1024), queue, [], small).kind).toBe('placed');
    expect(placeJob(needs(4, 1024), queue, [holding('spot', 1, 1)], small)).toEqual({ kind: 'waits' });
  });
});

describe("E15 a job is blocked, with Batch's own reason", () => {
  test.each([
    [
      'more memory than any instance type registers',
      needs(1, 16_384),
      'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - ',
    ],
    ['more vCPUs than any instance type', needs(5, 1024), 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - '],
    ['GPUs where no type has any', needs(1, 1024, 2), 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - '],
  ])('%s', (_, wanted, reason) => {
    expect(placeJob(wanted, queueOf(environment('e', ['g5.xlarge'])), [], machine)).toEqual({
      kind: 'blocked',
      reason: expect.stringContaining(reason),
    });
  });

  test('more vCPUs than the environment may have', () => {
    expect(placeJob(needs(4, 1024), queueOf(environment('e', ['c7i.xlarge'], 2)), [], machine)).toEqual({
      kind: 'blocked',
      reason: expect.stringContaining('MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - '),
    });
  });

  test('what this machine does not have', () => {
    const gpu = queueOf(environment('e', ['g5.xlarge']));
    const because = (words: string) => ({
      kind: 'blocked',
      reason: expect.stringMatching(new RegExp(`^MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - .*${words}`)),
    });
    expect(placeJob(needs(1, 1024, 1), gpu, [], { ...machine, gpuIds: [] })).toEqual(because('0 GPUs'));
    expect(placeJob(needs(1, 8192), gpu, [], { ...machine, memoryMiB: 4096 })).toEqual(because('4096 MiB'));
  });
});

describe('E15 a failed attempt', () => {
  const on = (evaluateOnExit: object[]) => ({ attempts: 3, evaluateOnExit: evaluateOnExit as never });
  const spotLoss = { statusReason: 'Host EC2 (instance i-1) terminated.' };

  test('is retried while there are attempts, unless a condition says otherwise', () => {
    expect(shouldRetry(on([]), 1, { exitCode: 1 })).toBe(true);
    expect(shouldRetry(on([]), 3, { exitCode: 1 })).toBe(false);
    expect(shouldRetry(on([{ onExitCode: '1', action: 'EXIT' }]), 1, { exitCode: 1 })).toBe(false);
    expect(shouldRetry(on([{ onExitCode: '1', action: 'exit' }]), 1, { exitCode: 12 })).toBe(true);
  });

  test('follows the first condition that matches, each of its parts', () => {
    const rules = on([
      { onStatusReason: 'Host EC2*', action: 'RETRY' },
      { onReason: 'CannotPullContainerError:*', action: 'EXIT' },
      { onReason: '*', action: 'EXIT' },
    ]);
    expect(shouldRetry(rules, 1, spotLoss)).toBe(true);
    expect(
      shouldRetry(rules, 1, { reason: 'CannotPullContainerError: no', statusReason: 'Task failed to start' }),
    ).toBe(false);
    expect(shouldRetry(rules, 1, { exitCode: 1 })).toBe(false);
    expect(
      shouldRetry(on([{ onExitCode: '1*', onReason: 'Out*', action: 'EXIT' }]), 1, { exitCode: 137 }),
    ).toBe(true);
    expect(
      shouldRetry(on([{ onExitCode: '1*', onReason: 'Out*', action: 'EXIT' }]), 1, {
        exitCode: 137,
        reason: 'OutOfMemory',
      }),
    ).toBe(false);
  });
});

describe('what a share has used', () => {
  const use = (shareIdentifier: string, vcpus: number, since: number) => ({ shareIdentifier, vcpus, since });

  test('counts half after each decay, besides what it uses now', () => {
    const usage = createShareUsage(3600);
    usage.ended(use('a', 2, 0), 100_000);
    expect(usage.of('a', [], 100_000)).toBe(200);
    expect(usage.of('a', [], 3_700_000)).toBeCloseTo(100);
    expect(usage.of('a', [use('a', 4, 90_000), use('b', 4, 0)], 100_000)).toBe(240);
    expect(usage.of('b', [use('b', 1, 100_000)], 100_000)).toBe(1);
  });
});

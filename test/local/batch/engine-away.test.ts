import { TerminateJobCommand } from '@aws-sdk/client-batch';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { type InterruptedEngine, interruptedEngine } from '../engine/interrupted-engine.ts';
import { batchPlace, release, shell, untilReleased } from './place.ts';

let interrupted: InterruptedEngine;
let place: Awaited<ReturnType<typeof batchPlace>>;
beforeEach(async () => {
  interrupted = await interruptedEngine();
  place = await batchPlace({ engine: interrupted.engine });
});
afterEach(async () => {
  await place.cloud.close();
  await interrupted.close();
});

const waiting = () => place.cloud.messages.filter((line) => /does not answer/.test(line));
const leave = async () => {
  await interrupted.leave();
};

test('a job under way is taken up again: one attempt, every line once', async () => {
  const id = await place.submit({
    jobDefinition: await place.register(
      shell(`for n in 1 2 3 4 5 6; do echo line $n; [ $n != 3 ] || ${untilReleased}; done; exit 3`),
    ),
    retryStrategy: {
      attempts: 3,
      evaluateOnExit: [
        { onStatusReason: 'Host EC2*', action: 'RETRY' },
        { onExitCode: '3', action: 'EXIT' },
      ],
    },
  });
  await place.reached(id, 'RUNNING');
  await leave();
  await expect.poll(waiting).toHaveLength(1);
  // It ends while its cloud can't see it.
  await release(id);
  const engine = createEngine(engineAddress(process.env));
  const [container] = await engine.list({ 'slipway.batch.job': id });
  await engine.wait(container?.Id ?? '');
  expect((await place.describe(id)).status).toBe('RUNNING');
  await interrupted.comeBack();
  await place.reached(id, 'FAILED');
  const job = await place.describe(id);
  expect(job.attempts).toHaveLength(1);
  expect(job.attempts?.[0]?.container?.exitCode).toBe(3);
  expect(place.log(job.container?.logStreamName)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `line ${n}`));
  expect(waiting()).toHaveLength(1);
  expect(place.cloud.messages.filter((line) => /answers again/.test(line))).toHaveLength(1);
  await expect.poll(() => engine.list({ 'slipway.batch.job': id })).toEqual([]);
  engine.close();
});

test('what is submitted meanwhile waits, several jobs as well as one', async () => {
  const definition = await place.register(shell('exit 0'));
  await leave();
  const ids = await Promise.all([1, 2, 3].map(() => place.submit({ jobDefinition: definition })));
  await expect.poll(waiting).toHaveLength(1);
  for (const id of ids) expect((await place.describe(id)).status).not.toBe('FAILED');
  await interrupted.comeBack();
  for (const id of ids) {
    await place.reached(id, 'SUCCEEDED', 'FAILED');
    expect(await place.describe(id)).toMatchObject({ status: 'SUCCEEDED', attempts: [{}] });
  }
});

test('a job that has not started can be terminated meanwhile; one that runs is stopped afterwards', async () => {
  const running = await place.submit({ jobDefinition: await place.register(shell('sleep 3600')) });
  await place.reached(running, 'RUNNING');
  await leave();
  const starting = await place.submit({ jobDefinition: await place.register(shell('exit 0')) });
  await expect.poll(waiting).toHaveLength(1);
  for (const jobId of [running, starting])
    await place.client.send(new TerminateJobCommand({ jobId, reason: 'no longer needed' }));
  await place.reached(starting, 'FAILED');
  expect((await place.describe(running)).status).toBe('RUNNING');
  await interrupted.comeBack();
  await place.reached(running, 'FAILED');
  expect((await place.describe(running)).statusReason).toBe('no longer needed');
  await expect.poll(() => place.engine.list({ 'slipway.batch.job': running })).toEqual([]);
});

test('a container that is gone with the engine is a lost host, and the reason says so', async () => {
  const id = await place.submit({ jobDefinition: await place.register(shell('sleep 3600')) });
  await place.reached(id, 'RUNNING');
  await leave();
  await expect.poll(waiting).toHaveLength(1);
  const engine = createEngine(engineAddress(process.env));
  const [container] = await engine.list({ 'slipway.batch.job': id });
  // What an engine that is restarted does with the containers it had.
  await engine.stop(container?.Id ?? '', 0);
  engine.close();
  await interrupted.comeBack();
  await place.reached(id, 'FAILED');
  expect(await place.describe(id)).toMatchObject({
    statusReason: expect.stringMatching(/^Host EC2 \(instance i-\w+\) terminated\.$/),
    container: { reason: 'The container engine stopped and took the container with it.' },
  });
});

test('a cloud that ends while it waits leaves the job for the next one', async () => {
  const id = await place.submit({ jobDefinition: await place.register(shell(untilReleased)) });
  await place.reached(id, 'RUNNING');
  await leave();
  await expect.poll(waiting).toHaveLength(1);
  await place.batch.stop?.();
  expect((await place.describe(id)).status).toBe('RUNNING');
  const engine = createEngine(engineAddress(process.env));
  for (const { Id } of await engine.list({ 'slipway.batch.job': id })) await engine.remove(Id);
  engine.close();
});

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { batchPlace, release } from '../batch/place.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { cloudWithProject } from '../codebuild/project.ts';
import { buildPhases, launcherCalls, logOf, stateMachines, withStateMachines } from './work.ts';

/** Starts work in another process, and kills that process in the middle. */
async function workAndKill(
  kind: string,
  ...more: string[]
): Promise<{ home: string; id: string; jobId?: string }> {
  const home = mkdtempSync(join(tmpdir(), 'slipway-killed-'));
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.resolve('./child.ts')), kind, home, ...more],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = (await Promise.race([
    new Promise((resolve) => createInterface(child.stdout).once('line', (text) => resolve([text]))),
    new Promise((_, reject) =>
      child.once('exit', (code) => reject(new Error(`The child ended with ${code}`))),
    ),
  ])) as [string];
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  return { home, ...(JSON.parse(line) as { id: string; jobId?: string }) };
}

let cloud: CloudWithEndpoint | undefined;
afterEach(async () => {
  await cloud?.close();
  cloud = undefined;
});

describe('after kill -9 and a new start', () => {
  test("B7 a build's processes are ended and it ends FAULT, with its event", async () => {
    const { home, id } = await workAndKill('build');
    cloud = await createCloudWithEndpoint(home);
    const { get, log } = await cloudWithProject(buildPhases, {}, {}, cloud);
    const event = await cloud.event(({ detail }) => detail['build-status'] === 'FAULT');
    expect(event.detail['build-id']).toMatch(id);
    await expect
      .poll(() => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }))
      .not.toContain('sleep 7234.');
    expect(await get(id)).toMatchObject({ buildStatus: 'FAULT', buildComplete: true });
    expect(log(id)).toContain('under way');
    expect(log(id).at(-1)).toContain('The embedded cloud stopped while the build was running');
  });

  test('E14 a job that ran on is found again: every line once, and its outcome', async () => {
    const { home, id } = await workAndKill('job');
    cloud = await createCloudWithEndpoint(home);
    const before = logOf(cloud, id).length;
    const place = await batchPlace({}, cloud);
    await release(id);
    await place.reached(id, 'FAILED');
    const job = await place.describe(id);
    expect(job.attempts).toMatchObject([
      { container: { exitCode: 7 }, statusReason: 'Essential container in task exited' },
    ]);
    expect(before).toBeLessThanOrEqual(10);
    expect(logOf(cloud, id)).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 1}`));
    await expect.poll(() => place.engine.list({ 'slipway.batch.home': home })).toEqual([]);
  });

  test('E14 a job that ended in the meantime is taken up as well', async () => {
    const { home, id } = await workAndKill('job');
    const engine = createEngine(engineAddress(process.env));
    const [container] = await engine.list({ 'slipway.batch.job': id });
    await release(id);
    await engine.wait(container?.Id ?? '');
    cloud = await createCloudWithEndpoint(home);
    const place = await batchPlace({}, cloud);
    await place.reached(id, 'FAILED');
    expect((await place.describe(id)).attempts?.[0]?.container?.exitCode).toBe(7);
    expect(logOf(cloud, id)).toHaveLength(20);
  });

  test.each([
    ['exit 0', 'SUCCEEDED', [0]],
    // The second attempt is this cloud's.
    ['exit 7', 'FAILED', [7, 7]],
  ])(
    'a job (%s) whose container was just removed has ended as it did',
    async (command, status, exitCodes) => {
      const { home, id } = await workAndKill('removal', command);
      cloud = await createCloudWithEndpoint(home);
      const place = await batchPlace({}, cloud);
      await expect.poll(async () => (await place.describe(id)).status).toBe(status);
      const { attempts = [] } = await place.describe(id);
      expect(attempts.map(({ container }) => container?.exitCode)).toEqual(exitCodes);
      expect(attempts.map(({ statusReason }) => statusReason)).toEqual(
        exitCodes.map(() => 'Essential container in task exited'),
      );
    },
  );

  test('E1 a job whose container has vanished fails for the loss of its host; unknown containers are removed', async () => {
    const { home, id } = await workAndKill('job');
    cloud = await createCloudWithEndpoint(home);
    const engine = createEngine(engineAddress(process.env));
    for (const { Id } of await engine.list({ 'slipway.batch.job': id })) await engine.remove(Id);
    const stranger = await engine.create(`stranger-${process.pid}`, {
      Image: 'slipway-test/busybox:1',
      Labels: { 'slipway.batch.home': home, 'slipway.batch.task': 'nobody' },
    });
    const place = await batchPlace({}, cloud);
    await place.reached(id, 'FAILED');
    expect((await place.describe(id)).statusReason).toMatch(/^Host EC2 \(instance i-\w+\) terminated\.$/);
    expect(await engine.inspect(stranger)).toBeUndefined();
  });

  test('E1 an execution attaches to the job it had submitted, and runs nothing twice', async () => {
    const { home, id, jobId } = await workAndKill('execution');
    cloud = await createCloudWithEndpoint(home);
    const place = await batchPlace({}, cloud);
    await withStateMachines(
      cloud,
      place.batch,
      stateMachines("unused: the definition is the recorded job's"),
    );
    await release(jobId ?? '');
    await cloud.event(({ detail }) => detail.executionArn === id && detail.status === 'SUCCEEDED');
    const { output } = await new SFNClient(cloud.client()).send(
      new DescribeExecutionCommand({ executionArn: id }),
    );
    expect(JSON.parse(output ?? '')).toEqual({ settled: 'done' });
    expect(launcherCalls).toMatchObject([{ action: 'settle', error: { Error: 'States.TaskFailed' } }]);
    expect(String((launcherCalls[0] as { error: { Cause: string } }).error.Cause)).toContain(jobId);
    const jobs = cloud.db.prepare('SELECT id FROM batch_jobs').all();
    expect(jobs).toEqual([{ id: jobId }]);
  });
});

/** B2: the last phase as CodeBuild runs it, with a bucket that refuses some of what is written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { createWork, saveState, workOf } from '../../builder/work.ts';
import { type BuildResult, buildResultSchema } from '../../shared/model/build-spec.ts';
import { putImage } from '../shared/registry/images.ts';
import { startMemoryRegistry } from '../shared/registry/servers.ts';
import { environmentWith, smallBuild } from './small-build.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-main-'));
const environment = { ...environmentWith('registry'), CODEBUILD_BUILD_ID: `${basename(folder)}:1` };
const work = workOf(environment);
afterAll(() => {
  for (const one of [folder, work.folder]) rmSync(one, { recursive: true, force: true });
});

/** Pushes an image that the registry has; answers what the bucket has taken, and the exit code. */
async function pushed(refuses: (result: BuildResult) => boolean) {
  const taken: BuildResult[] = [];
  const bucket = createServer(async (request, response) => {
    const result = buildResultSchema.parse(JSON.parse(await text(request)));
    if (refuses(result)) return void response.writeHead(403).end();
    taken.push(result);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(bucket, 'listening');
  const registry = await startMemoryRegistry();
  try {
    const digest = putImage(registry, 'acme/x', '1');
    const client = join(folder, 'docker');
    writeFileSync(client, `#!/bin/sh\necho '1: digest: ${digest} size: 528'\n`);
    chmodSync(client, 0o755);
    await createWork(work);
    writeFileSync(join(work.docker.config, 'config.json'), '{"auths":{}}');
    const spec = smallBuild(registry.host);
    await saveState(work, { spec, client, cacheExists: false, cacheMode: 'registry', timingsMs: {} });
    const builder = spawn(process.execPath, ['builder/main.ts', 'push'], {
      env: {
        ...process.env,
        ...environment,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'x',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [log, [exitCode]] = await Promise.all([text(builder.stdout), once(builder, 'close')]);
    return { taken, exitCode, log, digest };
  } finally {
    bucket.close();
    await registry.stop();
  }
}

test('B2 what cannot be written again makes no failure of an image that was pushed', async () => {
  let writes = 0;
  const { taken, exitCode, log, digest } = await pushed(
    ({ outcome }) => outcome === 'succeeded' && ++writes > 1,
  );
  expect(taken, log).toEqual([{ outcome: 'succeeded', digest, timingsMs: {} }]);
  expect(exitCode).toBe(1);
});

test('B2 what could not be written at first is written in the end', async () => {
  let writes = 0;
  const { taken, exitCode, log, digest } = await pushed(() => ++writes === 1);
  expect(taken, log).toMatchObject([{ outcome: 'succeeded', digest, platform: 'linux/amd64' }]);
  expect(exitCode).toBe(0);
});

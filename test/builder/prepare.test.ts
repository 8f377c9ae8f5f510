/** B14: of several things that are wrong with a build one is told, and nobody is at work any more when it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Aws } from '../../builder/aws.ts';
import { prepare } from '../../builder/phases/prepare.ts';
import type { Work } from '../../builder/work.ts';
import { type Answer, json, startServer, type TestServer } from '../shared/registry/servers.ts';
import { environmentWith, smallBuild } from './small-build.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-prepare-'));
afterAll(() => rmSync(folder, { recursive: true }));
const work: Work = {
  folder: join(folder, 'work'),
  docker: { config: join(folder, 'secrets', 'docker') },
  dockerfile: join(folder, 'work', 'Dockerfile'),
  context: join(folder, 'work', 'context'),
  secrets: join(folder, 'secrets'),
};

const servers: TestServer[] = [];
beforeEach(() => void vi.stubEnv('SLIPWAY_DOCKER', '/nowhere/docker'));
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A target that answers this when it is asked for the right to push. */
async function target(answer: () => Answer | undefined | Promise<Answer | undefined>): Promise<string> {
  const server = await startServer(({ method }) => (method === 'POST' ? answer() : json(404, {})));
  servers.push(server);
  return server.host;
}

/** A build with a context and a secret, which `aws` has or hasn't. */
function preparing(host: string, aws: Pick<Aws, 'download' | 'secretValue'>): Promise<void> {
  const spec = smallBuild(host, {
    context: { key: 'acme/uploads/1', sizeBytes: 1, sha256: '0'.repeat(64) },
    secrets: [{ id: 'token', secretArn: 'arn', versionId: '1' }],
  });
  const all = { readText: async () => JSON.stringify(spec), ...aws } as Partial<Aws> as Aws;
  return prepare(environmentWith('inline'), work, all, () => undefined);
}

const refusal = json(401, {}, { 'www-authenticate': 'Basic realm="x"' });

test('a target that refuses is told before a context that is missing, however late it answers', async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<void>();
  const host = await target(async () => {
    await looked;
    return refusal;
  });
  const built = preparing(host, {
    secretValue: async () => 'value',
    async download() {
      look();
      return undefined;
    },
  });
  await expect(built).rejects.toMatchObject({ failure: { code: 'push-unauthorized' } });
});

test('a target that refuses ends the download of a context', async () => {
  const host = await target(() => refusal);
  const endless = new Promise<never>(() => undefined);
  let ended = false;
  const built = preparing(host, {
    secretValue: async () => 'value',
    download: (_key, _path, signal) =>
      Promise.race([
        endless,
        new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => {
            ended = true;
            reject(signal.reason);
          });
        }),
      ]),
  });
  await expect(built).rejects.toMatchObject({ failure: { code: 'push-unauthorized' } });
  expect(ended).toBe(true);
});

test('what fails beside a silent target is told, and the target is left alone', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: left, resolve: leave } = Promise.withResolvers<undefined>();
  const host = await target(() => {
    ask();
    return left;
  });
  const built = preparing(host, {
    secretValue: () => asked.then(() => undefined),
    download: () => Promise.reject(new Error('later in the list')),
  });
  await expect(built).rejects.toMatchObject({ failure: { code: 'secret-missing' } });
  const [server] = servers;
  expect(server?.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  leave(undefined);
});

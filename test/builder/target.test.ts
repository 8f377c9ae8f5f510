/** R9: what of a build's target ends the build before its steps, and what is left for the push to find out. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDockerConfig } from '../../builder/credentials.ts';
import { createRegistryView } from '../../builder/pushed.ts';
import { type Asking, requireTarget } from '../../builder/target.ts';
import type { CredentialsSource } from '../../shared/model/build-spec.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import {
  type Answer,
  type Asked,
  json,
  startMemoryRegistry,
  startServer,
  type TestServer,
} from '../shared/registry/servers.ts';

const config = mkdtempSync(join(tmpdir(), 'slipway-target-'));
beforeAll(() => writeDockerConfig(config, {}));
afterAll(() => rmSync(config, { recursive: true }));

const network = createNetwork({ privateHosts: ['127.0.0.1'] });
/** For who never answers. */
const hurried = createNetwork({ privateHosts: ['127.0.0.1'], timeoutMs: 1000 });
afterAll(() => {
  network.close();
  hurried.close();
});
const specOf = (host: string, registries: CredentialsSource[] = []) => ({
  target: `${host}/team/x:1`,
  registries,
});
const asked = (host: 'dedicated' | 'shared' = 'dedicated') => ({
  host,
  signal: new AbortController().signal,
  pauseMs: 1,
});
const ask = (host: string, by = network, how: Asking = asked()) =>
  requireTarget(specOf(host), createRegistryView(config, by), how);

async function asking(server: TestServer, by = network, how?: Asking) {
  try {
    await ask(server.host, by, how);
  } finally {
    await server.stop();
  }
}

const begins = ({ method }: Asked) => method === 'POST';
const refusing = (status: number, words: object, headers?: Record<string, string>) =>
  startMemoryRegistry((asked) => (begins(asked) ? json(status, { errors: [words] }, headers) : undefined));
const denied = { code: 'DENIED', message: 'requested access to the resource is denied' };

describe('R9 a target that', () => {
  test.each([
    ['wants a login', 401, denied, 'push-unauthorized'],
    ['denies access', 403, denied, 'push-unauthorized'],
    ['has no room', 403, { code: 'DENIED', message: 'the quota is used up' }, 'push-refused'],
    ['is read-only for now', 405, { code: 'UNSUPPORTED' }, 'push-refused'],
  ])('%s ends the build, with the reason', async (_, status, words, code) => {
    const server = await refusing(status, words);
    await expect(asking(server)).rejects.toMatchObject({
      failure: { code, message: expect.stringContaining(`${server.host}/team/x`) },
    });
    expect(server.asked.filter(begins)).toHaveLength(1);
  });

  test('has no address, or one that is not allowed, ends the build', async () => {
    for (const [host, why] of [
      ['registry.invalid', 'does not resolve'],
      ['10.0.0.1', 'does not allow'],
    ] as const)
      await expect(ask(host)).rejects.toMatchObject({
        failure: { code: 'target-unavailable', message: expect.stringContaining(why) },
      });
  });

  test('shows a certificate that nobody knows ends the build', async () => {
    await expect(asking(await startServer(() => json(200, {}), true))).rejects.toMatchObject({
      failure: { code: 'registry-untrusted' },
    });
  });

  test("on somebody's own machine its engine may trust and reach more than the builder does", async () => {
    const shared = asked('shared');
    await asking(await startServer(() => json(200, {}), true), network, shared);
    await ask('10.0.0.1', network, shared);
    for (const host of ['registry.invalid', '127.0.0.1:1'])
      await expect(ask(host, network, shared)).rejects.toMatchObject({
        failure: { code: 'target-unavailable' },
      });
  });

  test.each([
    [200, 200],
    [404, 404],
    [404, 405],
  ])('is a web server (GET: %d, POST: %d) ends the build as no registry', async (read, written) => {
    const server = await startServer((asked) => ({
      status: begins(asked) ? written : read,
      body: '<html>Welcome</html>',
    }));
    await expect(asking(server)).rejects.toMatchObject({
      failure: { code: 'target-unavailable', message: expect.stringContaining('registry') },
    });
  });

  test.each<[string, (asked: Asked) => Answer | undefined, typeof network]>([
    ['fails', () => json(503, {}), network],
    ['is silent', () => undefined, hurried],
  ])('%s is asked three times before it ends the build', async (_, answer, by) => {
    const server = await startServer(answer);
    await expect(asking(server, by)).rejects.toMatchObject({ failure: { code: 'target-unavailable' } });
    expect(server.asked.filter(begins)).toHaveLength(3);
  });

  test('stumbles once is taken', async () => {
    const answers = [json(503, {})];
    const server = await startMemoryRegistry((asked) => (begins(asked) ? answers.shift() : undefined));
    await asking(server);
    expect(server.asked.filter(begins)).toHaveLength(2);
  });

  test.each([
    ['asks to wait', 429, { 'retry-after': '600' }],
    ['knows no such repository yet', 404, {}],
    ['says something else', 400, {}],
  ])('%s is left to the push, and not asked again', async (_, status, headers) => {
    const server = await refusing(status, { code: 'X' }, headers);
    await asking(server);
    expect(server.asked.filter(begins)).toHaveLength(1);
  });
});

const silent = { probePush: () => new Promise<never>(() => undefined) };

test('R9 all attempts together take so long, whatever the target does', async () => {
  await expect(
    requireTarget(specOf('r.example'), silent, { ...asked(), atMostMs: 20 }),
  ).rejects.toMatchObject({
    failure: { code: 'target-unavailable', message: 'r.example did not answer within 0.02 s' },
  });
  const stumbling = { probePush: () => Promise.reject(new RegistryError('unreachable', 'r', 'r broke')) };
  await expect(
    requireTarget(specOf('r.example'), stumbling, { ...asked(), pauseMs: 600_000, atMostMs: 20 }),
  ).rejects.toMatchObject({ failure: { code: 'target-unavailable', message: 'r broke' } });
});

test('R9 nobody waits for a target that nobody wants to know about any more, nor asks it again', async () => {
  const failed = new Error('something else');
  const stop = new AbortController();
  const waiting = requireTarget(specOf('r.example'), silent, { ...asked(), signal: stop.signal });
  stop.abort(failed);
  await expect(waiting).rejects.toBe(failed);
  const never = { probePush: () => Promise.reject(new Error('asked')) };
  await expect(requireTarget(specOf('r.example'), never, { ...asked(), signal: stop.signal })).rejects.toBe(
    failed,
  );
});

test('R9 nobody asks where nothing is pushed, nor ECR', async () => {
  const ecr = specOf('1.dkr.ecr.eu-west-1.amazonaws.com', [
    { kind: 'ecr', host: '1.dkr.ecr.eu-west-1.amazonaws.com' },
  ]);
  const never = { probePush: () => Promise.reject(new Error('asked')) };
  await requireTarget(ecr, never, asked());
  await requireTarget({ ...specOf('r.example'), push: false }, never, asked());
});

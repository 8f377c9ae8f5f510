import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openedByTests } from './opened.ts';
import { sha256 } from './servers.ts';

const { network, registry, server, clientOf } = openedByTests();

describe('R9 a registry that is not well', () => {
  it.each([
    ['seconds', { 'retry-after': '30' }, 30],
    ['a date', { 'retry-after': new Date(1_000_000 + 90_000).toUTCString() }, 90],
    ['a moment', { 'x-ratelimit-reset': '1795000060' }, 1_795_000_060 - 1000],
    ['nothing', {}, undefined],
  ])('reports 429 once, with the time to wait: %s', async (_, headers, retryAfterSeconds) => {
    const busy = await server(() => ({ status: 429, headers: headers as Record<string, string> }));
    await expect(clientOf(busy, { now: () => 1_000_000 }).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'rate-limited',
      retryAfterSeconds,
    });
    expect(busy.asked).toHaveLength(1);
  });

  it('tells silence, a closed port, and redirects without end', async () => {
    const silent = await server(() => undefined);
    const hurried = clientOf(silent, { network: network({ timeoutMs: 500 }) });
    await expect(hurried.ping()).rejects.toMatchObject({ code: 'unreachable', message: /0.5 s/ });
    const gone = await server(() => undefined);
    await gone.stop();
    await expect(clientOf(gone).ping()).rejects.toMatchObject({
      code: 'unreachable',
      message: /ECONNREFUSED/,
    });
    const circle = await server(({ url }) => ({ status: 302, headers: { location: `${url}x` } }));
    await expect(clientOf(circle).ping()).rejects.toMatchObject({ code: 'not-a-registry' });
    const broken = await server(() => ({ status: 502 }));
    await expect(clientOf(broken).ping()).rejects.toMatchObject({ code: 'unreachable', status: 502 });
  });

  it.each([
    ['a web site', { status: 200, body: '<html>' }],
    ['something without /v2/', { status: 404 }],
    ['a 401 that says nothing', { status: 401 }],
    [
      'a token service that is no URL',
      { status: 401, headers: { 'www-authenticate': 'Bearer realm="nowhere"' } },
    ],
  ])('tells %s', async (_, answer) => {
    await expect(clientOf(await server(() => answer)).ping()).rejects.toMatchObject({
      code: 'not-a-registry',
    });
  });

  it('ends a stream whose source went away', async () => {
    const store = await registry(({ url }) =>
      url.includes('/blobs/')
        ? { status: 200, headers: { 'content-length': '100' }, body: 'only this' }
        : undefined,
    );
    const { stream } = await clientOf(store, { network: network({ timeoutMs: 500 }) }).getBlob(
      'app',
      sha256('x'),
    );
    await expect(buffer(stream)).rejects.toThrow();
  });
});

/** Registries that mean harm: a stable code, in bounded time, with bounded memory. */

import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { memoryGoalBytes, rounds, underAttack } from '../../../bench/registry/memory.ts';
import { bounded } from '../../../shared/registry/bounded.ts';
import { checkRegistry } from '../../../shared/registry/check.ts';
import { inspectImage } from '../../../shared/registry/inspect.ts';
import { ociIndex, ociManifest } from '../../../shared/registry/media-types.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { putImage, putIndex } from './images.ts';
import { openedByTests } from './opened.ts';
import { json, sha256 } from './servers.ts';

const { keep, network, registry, server, ...opened } = openedByTests();
const clientOf = (host: string, timeoutMs = 10_000) =>
  opened.clientOf({ host }, { network: network({ timeoutMs }) });

describe('a registry that means harm', () => {
  it('costs at most 64 MB and 10 s, whatever it sends and however often', async () => {
    const { alone, together } = await underAttack();
    expect(alone.length).toBeGreaterThan(8);
    expect(together.length).toBe(alone.length * rounds);
    for (const { name, code, seconds, aboveIdleBytes } of [...alone, ...together]) {
      // An unreadable history is no harm: layers and digest hold without it.
      const expected = name.includes('history')
        ? ['none']
        : ['too-large', 'corrupt', 'not-found', 'not-a-registry'];
      expect(expected, name).toContain(code);
      expect(seconds, name).toBeLessThan(10);
      expect(aboveIdleBytes, name).toBeLessThan(memoryGoalBytes);
    }
  }, 120_000);

  it('is given up when it sends a byte now and then and never an answer', async () => {
    const sockets = new Set<Socket>();
    const drip = createServer((socket) => {
      sockets.add(socket);
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      const timer = setInterval(() => socket.write('x'), 50);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => clearInterval(timer));
    });
    await new Promise<void>((listening) => drip.listen(0, '127.0.0.1', listening));
    keep({
      async stop() {
        for (const socket of sockets) socket.destroy();
        drip.close();
      },
    });
    const { port } = drip.address() as AddressInfo;
    // Long enough for every slow machine to send a byte in time.
    await expect(clientOf(`127.0.0.1:${port}`, 2000).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'unreachable',
      message: /too slowly/,
    });
  });

  it('is given up when its answers together take too long, each being in time', async () => {
    const slow = await server(async ({ url }) => {
      await sleep(300);
      return { status: 302, headers: { location: `${url}x` } };
    });
    const client = bounded(clientOf(slow.host), 400);
    const unreachable = { code: 'unreachable', message: expect.stringContaining('too slow') };
    await expect(client.getManifest('app', 'v1')).rejects.toMatchObject(unreachable);
    const asked = slow.asked.length;
    expect(asked).toBeLessThanOrEqual(2);
    await expect(client.headManifest('app', 'v1')).rejects.toMatchObject(unreachable);
    const subject = { url: { host: slow.host, path: '', insecure: true }, visibility: 'public' as const };
    const network = createNetwork({ privateHosts: ['127.0.0.1'] });
    expect(await checkRegistry(network, subject, new Date(), 400)).toMatchObject({
      ok: false,
      cause: 'unreachable',
    });
    network.close();
  });

  it('switches to another protocol instead of answering', async () => {
    const switching = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      );
    });
    await new Promise<void>((listening) => switching.listen(0, '127.0.0.1', listening));
    keep({ stop: async () => void switching.close() });
    const { port } = switching.address() as AddressInfo;
    await expect(clientOf(`127.0.0.1:${port}`).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'unreachable',
      message: /without an answer/,
    });
  });

  it('redirects to an account that is no text', async () => {
    const { host } = await server(({ headers }) => ({
      status: 307,
      headers: { location: `http://%ff@${headers.host}/` },
    }));
    await expect(clientOf(host).getManifest('app', 'v1')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('drips the body of its answer', async () => {
    const drip = createHttpServer((_, answer) => {
      answer.writeHead(200, { 'content-type': ociManifest });
      const timer = setInterval(() => answer.write(' '), 50);
      answer.once('close', () => clearInterval(timer));
    });
    await new Promise<void>((listening) => drip.listen(0, '127.0.0.1', listening));
    keep({
      async stop() {
        drip.closeAllConnections();
        drip.close();
      },
    });
    const { port } = drip.address() as AddressInfo;
    await expect(bounded(clientOf(`127.0.0.1:${port}`), 500).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('changes what a tag names between two reads: what is answered belongs together', async () => {
    const store = await registry();
    const image = (architecture: string) => ({
      digest: putImage(store, 'app', architecture, { architecture }),
      platform: { os: 'linux', architecture },
    });
    const [amd64, arm64] = [image('amd64'), image('arm64')];
    const first = putIndex(store, 'app', 'first', [amd64]);
    putIndex(store, 'app', 'second', [arm64]);
    let reads = 0;
    const moving = await server(({ method, url, headers }) => {
      if (!url.endsWith('/latest')) {
        const kept = store.manifests.get(`app@${url.split('/').at(-1)}`);
        const blob = store.blobs.get(url.split('/').at(-1) ?? '');
        return kept
          ? { status: 200, headers: { 'content-type': kept.type }, body: kept.body }
          : { status: 200, body: blob ?? '' };
      }
      expect([method, headers.accept]).toContain('GET');
      const kept = store.manifests.get(reads++ === 0 ? 'app@first' : 'app@second');
      return { status: 200, headers: { 'content-type': ociIndex }, body: kept?.body ?? '' };
    });
    expect(await inspectImage(clientOf(moving.host), 'app', 'latest')).toMatchObject({
      digest: first,
      platform: 'linux/amd64',
      platformDigest: amd64.digest,
    });
    expect(reads).toBe(1);
  });

  it('answers other bytes for a digest the second time', async () => {
    const manifest = JSON.stringify({ layers: [] });
    let reads = 0;
    const { host } = await server(() => ({
      status: 200,
      headers: { 'content-type': ociManifest },
      body: reads++ === 0 ? manifest : `${manifest} `,
    }));
    const client = clientOf(host);
    const { digest } = await client.getManifest('app', 'latest');
    await expect(client.getManifest('app', digest)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it.each(['https://[', 'ftp://files.example/x', 'file:///etc/passwd'])('leads to %s', async (location) => {
    const { host } = await server(() => ({ status: 307, headers: { location } }));
    await expect(clientOf(host).getManifest('app', 'v1')).rejects.toMatchObject({ code: 'not-a-registry' });
    const upload = await server(() => ({ status: 202, headers: { location } }));
    await expect(clientOf(upload.host).probePush('app')).rejects.toMatchObject({ code: 'not-a-registry' });
  });

  it('signs with nonsense', async () => {
    for (const said of ['not json', '{"formatLength":-1,"formatTail":7}', 'null']) {
      const body = JSON.stringify({
        fsLayers: [],
        signatures: [{ protected: Buffer.from(said).toString('base64url') }],
      });
      const { host } = await server(() => ({ status: 200, body }));
      expect((await clientOf(host).getManifest('app', 'v1')).digest).toBe(sha256(body));
    }
  });

  it('refuses `_catalog`, which nothing needs', async () => {
    const store = await registry(({ url }) =>
      url.includes('_catalog') ? json(401, { errors: [{ code: 'UNAUTHORIZED' }] }) : undefined,
    );
    putImage(store, 'app', 'v1');
    const client = clientOf(store.host);
    await client.ping();
    await inspectImage(client, 'app', 'v1');
    expect(store.asked.filter(({ url }) => url.includes('_catalog'))).toEqual([]);
  });
});

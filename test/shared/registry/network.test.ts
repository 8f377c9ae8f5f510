import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../shared/registry/addresses.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import type { RegistryError } from '../../../shared/registry/model.ts';
import type { NetworkOptions } from '../../../shared/registry/network.ts';
import { openedByTests } from './opened.ts';
import { certificateAuthority, json } from './servers.ts';

const { keep, network, server, clientOf } = openedByTests();
const get = (url: string, options: Partial<NetworkOptions> = {}, mayBePrivate = true) =>
  network({ privateHosts: [], ...options }).send({
    method: 'GET',
    url: new URL(url),
    headers: {},
    mayBePrivate,
  });
const refused = { code: 'refused-address' };

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '169.254.170.2',
    '100.64.0.1',
    '0.0.0.0',
  ])('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
    expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
  });
  it.each([
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    'fc00::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '::ffff:7f00:1',
    '',
    'host',
  ])('refuses %s', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    'takes %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it('takes no address of a private network, however it is written', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c) => {
        for (const first of ['10', '127', '0']) {
          const { hostname } = new URL(`http://${first}.${a}.${b}.${c}`);
          expect(isPublicAddress(hostname)).toBe(false);
        }
      }),
    );
  });
});

describe('where a user-given host may lead', () => {
  it.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::ffff:10.0.0.1]/',
  ])('not to %s', async (url) => {
    await expect(get(url)).rejects.toMatchObject(refused);
  });

  it('not where a name leads by its own address', async () => {
    const resolve = async () => [
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ];
    await expect(get('https://evil.example/', { resolve })).rejects.toMatchObject(refused);
  });

  it('only to the addresses that were checked', async () => {
    let asked = 0;
    // The first answer is public, any later one would not be.
    const resolve = async () => [{ address: asked++ === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }];
    await expect(get('https://rebind.example/', { resolve })).rejects.toMatchObject(refused);
    expect(asked).toBe(1);
  });

  it('not without TLS, unless the deployment lists the host', async () => {
    const plain = await server(() => json(200, {}));
    const privateHosts = [plain.host];
    await expect(get('http://registry.example/')).rejects.toMatchObject({ code: 'tls' });
    expect((await get(`http://${plain.host}/`, { privateHosts })).statusCode).toBe(200);
    expect((await get(`http://${plain.host}/`, { privateHosts: ['127.0.0.1'] })).statusCode).toBe(200);
    await expect(get(`http://${plain.host}/`, { privateHosts: ['127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'tls',
    });
    // Whatever listens there, or nothing: a URL leaves out its protocol's own port.
    const asked = get('http://127.0.0.1:80/', { privateHosts: ['127.0.0.1:80'] });
    expect(await asked.catch(({ code }: RegistryError) => code)).not.toBe('tls');
  });

  it('not into the private network by the word of somebody outside', async () => {
    const plain = await server(() => json(200, {}));
    await expect(get(`https://${plain.host}/`, { privateHosts: [plain.host] }, false)).rejects.toMatchObject(
      refused,
    );
  });

  it('not into it by a connection that somebody else has opened', async () => {
    const inner = await server(() => json(200, {}), true);
    // By a name, whose address is only looked at when a connection is opened.
    const named = new URL(`https://localhost:${inner.host.split(':')[1]}/`);
    const both = network({ privateHosts: [inner.host, named.host], ca: certificateAuthority });
    const ask = async (mayBePrivate: boolean) => {
      const answer = await both.send({ method: 'GET', url: named, headers: {}, mayBePrivate });
      answer.resume();
      await once(answer, 'end');
    };
    await ask(true);
    await expect(ask(false)).rejects.toMatchObject(refused);
    await ask(true);
    expect(inner.asked).toHaveLength(2);
  });

  it('not by redirect or token service of a listed host to one that is not', async () => {
    const inner = await server(() => json(200, { token: 'x' }));
    const redirects = await server(() => ({ status: 302, headers: { location: `https://${inner.host}/` } }));
    const names = await server(() => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="https://${inner.host}/latest/meta-data"` },
    }));
    for (const { host } of [redirects, names]) {
      const client = clientOf({ host }, { network: network({ privateHosts: [host] }) });
      await expect(client.ping()).rejects.toMatchObject(refused);
    }
    expect(inner.asked).toEqual([]);
  });
});

describe('connections that are kept', () => {
  /** Closes a connection when it is used for the second time, as one that was idle for too long. */
  const forgetful = async () => {
    const used = new WeakSet<Socket>();
    const asked: string[] = [];
    const one = createServer((request, response) => {
      asked.push(`${request.method} ${used.has(request.socket) ? 'again' : 'first'}`);
      if (used.has(request.socket)) return request.socket.destroy();
      used.add(request.socket);
      request.resume().once('end', () => response.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(one, 'listening');
    keep({
      stop: async () => {
        one.close();
        one.closeAllConnections();
      },
    });
    return { host: `127.0.0.1:${(one.address() as AddressInfo).port}`, asked };
  };
  const sends = (host: string) => {
    const one = network({ privateHosts: [host] });
    return async (method: string, body?: Buffer | Readable) => {
      const answer = await one.send({
        method,
        url: new URL(`http://${host}/`),
        headers: {},
        body,
        mayBePrivate: true,
      });
      answer.resume();
      await once(answer, 'end');
    };
  };

  it('R9, E2 one that is dead by now is none of the registry’s failures', async () => {
    const { host, asked } = await forgetful();
    const send = sends(host);
    // Four dead ones in the pool: more than a single repetition gets past.
    await Promise.all([1, 2, 3, 4].map(() => send('GET')));
    for (const [method, body] of [['GET'], ['HEAD'], ['PUT', Buffer.from('{}')]] as const)
      await send(method, body);
    expect(asked.filter((one) => one.endsWith('again')).length).toBeGreaterThanOrEqual(4);
  });

  it('what came as a stream is gone, and not sent a second time', async () => {
    const { host } = await forgetful();
    const send = sends(host);
    await send('GET');
    await expect(send('PUT', Readable.from([Buffer.from('x')]))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});

describe('R9 what goes wrong on the way', () => {
  it('dns', async () => {
    const resolve = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    await expect(get('https://nowhere.invalid/', { resolve })).rejects.toMatchObject({ code: 'dns' });
  });

  it('tls', async () => {
    const selfSigned = await server(() => json(200, {}), true);
    const privateHosts = [selfSigned.host];
    await expect(get(`https://${selfSigned.host}/`, { privateHosts })).rejects.toMatchObject({
      code: 'tls',
      message: expect.stringContaining('self-signed'),
    });
    const trusted = await get(`https://${selfSigned.host}/`, { privateHosts, ca: certificateAuthority });
    expect(trusted.statusCode).toBe(200);
  });

  it('tls that is none, in words', async () => {
    const plain = await server(() => json(200, {}));
    await expect(get(`https://${plain.host}/`, { privateHosts: [plain.host] })).rejects.toMatchObject({
      code: 'tls',
      message: `${plain.host}: TLS failed (the host uses plain HTTP)`,
    });
  });

  it('a listed host is asked by TLS first, and without it where it does not speak it', async () => {
    for (const tls of [true, false]) {
      const one = await server(() => json(200, {}), tls);
      const client = createRegistryClient({
        host: one.host,
        network: network({ privateHosts: [one.host], ca: certificateAuthority }),
      });
      await client.ping();
      expect(one.asked.length).toBeGreaterThan(0);
    }
  });
});

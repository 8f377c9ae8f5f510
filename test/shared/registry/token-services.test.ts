/** What a token service hears of an account, and where its redirects lead. */
import { describe, expect, it } from 'vitest';
import { putImage } from './images.ts';
import { openedByTests } from './opened.ts';
import { certificateAuthority, json, type TestServer } from './servers.ts';

const { registry, server, network, clientOf } = openedByTests();
const ada = { username: 'ada', password: 'secret' };
const basic = `Basic ${btoa('ada:secret')}`;
const authorizations = ({ asked }: TestServer) => asked.map(({ headers }) => headers.authorization);

describe('a token service', () => {
  const pointing = (host: string) =>
    registry(({ headers }) =>
      headers.authorization === 'Bearer good'
        ? undefined
        : json(401, {}, { 'www-authenticate': `Bearer realm="http://${host}/token"` }),
    );

  it.each([301, 302, 307, 308])(
    'may redirect on its own host (%i): the password goes along',
    async (status) => {
      const tokens = await server(({ url, headers }) =>
        url.startsWith('/token')
          ? { status, headers: { location: url.replace('/token', '/oauth/token') } }
          : json(headers.authorization === basic ? 200 : 401, { token: '', access_token: 'good' }),
      );
      const store = await pointing(tokens.host);
      putImage(store, 'app', 'v1');
      await clientOf(store, { credentials: ada }).getManifest('app', 'v1');
      expect(authorizations(tokens)).toEqual([basic, basic]);
    },
  );

  it('may redirect to another host, which does not get the password, not even on the way back', async () => {
    const tokens: TestServer = await server(({ url }) =>
      url.startsWith('/token')
        ? { status: 307, headers: { location: `http://${other.host}/elsewhere` } }
        : json(401, {}),
    );
    const other = await server(() => ({ status: 307, headers: { location: `http://${tokens.host}/back` } }));
    const store = await pointing(tokens.host);
    await expect(clientOf(store, { credentials: ada }).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(tokens.host),
    });
    expect(authorizations(other)).toEqual([undefined]);
    expect(authorizations(tokens)).toEqual([basic, undefined]);
  });

  it('that refuses the password is named beside its registry', async () => {
    const tokens = await server(() => json(401, {}));
    const store = await pointing(tokens.host);
    await expect(clientOf(store, { credentials: ada }).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'bad-credentials',
      message: `${tokens.host}, the token service of ${store.host}, refused the username and password`,
    });
  });

  it('without an end of its redirects is given up', async () => {
    const tokens = await server(({ url }) => ({ status: 302, headers: { location: `${url}x` } }));
    const store = await pointing(tokens.host);
    await expect(clientOf(store, { credentials: ada }).getManifest('app', 'v1')).rejects.toMatchObject({
      code: 'not-a-registry',
    });
    expect(tokens.asked.length).toBeLessThan(8);
  });

  it('without TLS gets no password of a registry that has it', async () => {
    const tokens = await server(() => json(200, { token: 'good' }));
    const store = await server(
      () => json(401, {}, { 'www-authenticate': `Bearer realm="http://${tokens.host}/token"` }),
      true,
    );
    const client = clientOf(store, {
      insecure: false,
      credentials: ada,
      network: network({ ca: certificateAuthority }),
    });
    await expect(client.ping()).rejects.toMatchObject({ code: 'tls' });
    expect(tokens.asked).toEqual([]);
  });
});

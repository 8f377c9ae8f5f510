import { describe, expect, it } from 'vitest';
import type { Network } from '../../../shared/registry/network.ts';
import { putImage } from './images.ts';
import { openedByTests } from './opened.ts';
import { json, sha256 } from './servers.ts';

const { registry, server, network, clientOf } = openedByTests();

describe('R8 logging in', () => {
  /** A registry behind a token service that knows ada. */
  async function guarded(challenge: (realm: string) => string, life: object = { expires_in: 300 }) {
    let issued = 0;
    const tokens = await server(({ url, headers }) => {
      const basic = headers.authorization;
      if (basic && basic !== `Basic ${btoa('ada:secret')}`) return json(401, { details: 'no' });
      const scope = new URL(url, 'http://x').searchParams.getAll('scope').join(' ');
      return json(200, {
        token: btoa(JSON.stringify([basic ? 'ada' : 'anybody', scope, ++issued])),
        ...life,
      });
    });
    const store = await registry(({ headers, method }) => {
      const token = headers.authorization?.replace('Bearer ', '');
      const answer = { 'www-authenticate': challenge(`http://${tokens.host}/token`) };
      if (!token) return json(401, { errors: [{ code: 'UNAUTHORIZED' }] }, answer);
      const [who, scope] = JSON.parse(atob(token)) as [string, string];
      const allowed =
        method === 'GET' || method === 'HEAD'
          ? scope.includes('pull') || scope === ''
          : scope.includes('push');
      if (who !== 'ada' || !allowed)
        return json(401, { errors: [{ code: 'DENIED', message: 'not you' }] }, answer);
      return undefined;
    });
    return { store, tokens };
  }
  const ada = { username: 'ada', password: 'secret' };

  it.each([
    ['as usual', (realm: string) => `Bearer realm="${realm}",service="reg",scope="repository:app:pull"`],
    ['in another order, unquoted', (realm: string) => `bearer scope="x", service=reg , realm="${realm}"`],
    ['without service and scope', (realm: string) => `Bearer realm="${realm}"`],
    ['beside Basic', (realm: string) => `Basic realm="x", Bearer realm="${realm}",service="reg"`],
  ])('understands a challenge %s', async (_, challenge) => {
    const { store } = await guarded(challenge);
    putImage(store, 'app', 'v1');
    const client = clientOf(store, { credentials: ada });
    await client.ping();
    expect((await client.resolveManifest('app', 'v1')).platform).toBe('linux/amd64');
    await client.putBlob('app', sha256('x'), Buffer.from('x'));
  });

  it('keeps a token until shortly before it expires', async () => {
    const { store, tokens } = await guarded((realm) => `Bearer realm="${realm}"`);
    putImage(store, 'app', 'v1');
    let time = 1_000_000;
    const client = clientOf(store, { credentials: ada, now: () => time });
    for (let i = 0; i < 3; i++) await client.getManifest('app', 'v1');
    expect(tokens.asked).toHaveLength(1);
    time += 269_000;
    await client.getManifest('app', 'v1');
    expect(tokens.asked).toHaveLength(1);
    time += 2_000;
    await client.getManifest('app', 'v1');
    expect(tokens.asked).toHaveLength(2);
    await client.getManifest('other', 'v1').catch(() => undefined);
    expect(tokens.asked).toHaveLength(3);
  });

  it('asks for a new token when one is refused before its time', async () => {
    let revoked = false;
    let issued = 0;
    const tokens = await server(() => json(200, { access_token: `t${++issued}` }));
    const store = await registry(({ headers }) =>
      !headers.authorization || (revoked && headers.authorization === 'Bearer t1')
        ? json(401, {}, { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` })
        : undefined,
    );
    putImage(store, 'app', 'v1');
    const client = clientOf(store);
    await client.getManifest('app', 'v1');
    revoked = true;
    await client.getManifest('app', 'v1');
    expect(issued).toBe(2);
  });

  it.each([
    ['with the own port of HTTPS', 'registry.example:443', false],
    ['with the own port of HTTP', 'registry.example:80', true],
    ['with an IPv6 address at length', '[2001:db8:0:0:0:0:0:1]:5000', false],
  ])('is known as the same registry when its name is written %s', async (_, host, insecure) => {
    const store = await registry(({ headers }) =>
      headers.authorization === `Basic ${btoa('ada:secret')}`
        ? undefined
        : json(401, {}, { 'www-authenticate': 'Basic realm="x"' }),
    );
    const local = network();
    let asked = 0;
    const elsewhere: Network = {
      ...local,
      send(request) {
        asked += 1;
        const { pathname, search } = request.url;
        const url = new URL(`http://${store.host}${pathname}${search}`);
        return local.send({ ...request, url, mayBePrivate: true });
      },
    };
    await clientOf({ host }, { insecure, credentials: ada, network: elsewhere }).ping();
    expect(asked).toBe(2);
  });

  it('takes Basic where that is what the registry wants', async () => {
    const store = await registry(({ headers }) =>
      headers.authorization === `Basic ${btoa('ada:secret')}`
        ? undefined
        : json(401, {}, { 'www-authenticate': 'Basic realm="x"' }),
    );
    await clientOf(store, { credentials: ada }).ping();
    const wrong = clientOf(store, { credentials: { ...ada, password: 'guess' } });
    await expect(wrong.ping()).rejects.toMatchObject({ code: 'bad-credentials' });
    await expect(wrong.getManifest('app', 'v1')).rejects.toMatchObject({ code: 'bad-credentials' });
    await expect(clientOf(store).ping()).rejects.toMatchObject({ code: 'bad-credentials' });
  });

  it('R9 tells wrong credentials, no right to pull and no right to push apart', async () => {
    const { store } = await guarded((realm) => `Bearer realm="${realm}"`);
    const wrong = clientOf(store, { credentials: { ...ada, password: 'guess' } });
    await expect(wrong.ping()).rejects.toMatchObject({ code: 'bad-credentials' });
    await expect(clientOf(store).getManifest('app', 'v1')).rejects.toMatchObject({ code: 'not-found' });

    const tokens = await server(() => json(200, { token: 'weak' }));
    const mean = await server(({ headers, method }) =>
      headers.authorization
        ? method === 'POST'
          ? json(403, { errors: [{ code: 'DENIED', message: 'read only' }] })
          : json(
              401,
              {},
              { 'www-authenticate': `Bearer realm="http://${tokens.host}/",error="insufficient_scope"` },
            )
        : json(401, {}, { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` }),
    );
    const client = clientOf(mean, { credentials: ada });
    await expect(client.getManifest('app', 'v1')).rejects.toMatchObject({ code: 'no-pull' });
    await expect(clientOf(mean, { credentials: ada }).probePush('app')).rejects.toMatchObject({
      code: 'no-push',
      message: expect.stringContaining('read only'),
    });
  });

  it('never shows the password', async () => {
    const { store } = await guarded((realm) => `Bearer realm="${realm}"`);
    const error = await clientOf(store, { credentials: { username: 'ada', password: 'hunter2' } })
      .ping()
      .catch((one: unknown) => one);
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('gives Authorization to the registry only, not to the storage that it redirects to', async () => {
    const storage = await server(({ method }) => ({
      status: method === 'PUT' ? 201 : 200,
      body: 'from afar',
    }));
    const store = await registry(({ method, url, headers }) => {
      if (headers.authorization !== `Basic ${btoa('ada:secret')}`)
        return json(401, {}, { 'www-authenticate': 'Basic realm="x"' });
      const location = `http://${storage.host}/signed?x=1`;
      if (method === 'POST') return { status: 202, headers: { location } };
      return url.includes('/blobs/') ? { status: 307, headers: { location } } : undefined;
    });
    const client = clientOf(store, { credentials: ada });
    const digest = sha256('from afar');
    expect(String(await client.readBlob('app', digest, 100))).toBe('from afar');
    expect(await client.hasBlob('app', digest)).toBeDefined();
    // Read there, and written there: neither is the registry itself.
    await client.putBlob('app', digest, await client.getBlob('app', digest));
    expect(storage.asked.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET', 'PUT']);
    for (const { headers } of storage.asked) expect(headers.authorization).toBeUndefined();
  });
});

/** Hosts that a registry names: what they hear of its account, and what is learned from them. */
import { describe, expect, it } from 'vitest';
import { putImage } from './images.ts';
import { openedByTests } from './opened.ts';
import { type Answer, type Asked, json, type MemoryRegistry, sha256, type TestServer } from './servers.ts';

const { registry, server, network, clientOf } = openedByTests();
const ada = { username: 'ada', password: 'secret' };
const basic = `Basic ${btoa('ada:secret')}`;
const bytes = 'of a blob';
const digest = sha256(bytes);

/** A registry that knows ada, by a token of its own service or by her password, and sends on what `elsewhere` answers. */
async function guarded(how: 'basic' | 'bearer', elsewhere: (asked: Asked) => Answer | undefined) {
  const tokens = await server(({ headers }) =>
    headers.authorization === basic ? json(200, { token: 'of-ada' }) : json(401, {}),
  );
  const wanted = how === 'basic' ? basic : 'Bearer of-ada';
  const challenge = how === 'basic' ? 'Basic realm="x"' : `Bearer realm="http://${tokens.host}/token"`;
  const store = await registry((asked) =>
    asked.headers.authorization === wanted
      ? elsewhere(asked)
      : json(401, {}, { 'www-authenticate': challenge }),
  );
  return { store, tokens, wanted };
}

const sendsTo = (host: string, status = 307): Answer => ({
  status,
  headers: { location: `http://${host}/signed` },
});
const authorizations = ({ asked }: TestServer) => asked.map(({ headers }) => headers.authorization);

describe('a host that the registry redirects to', () => {
  const ways: [string, RegExp, (store: MemoryRegistry) => Promise<unknown>][] = [
    ['a blob', /\/blobs\//, (store) => clientOf(store, { credentials: ada }).readBlob('app', digest, 100)],
    [
      'a blob on its way',
      /\/blobs\//,
      (store) => clientOf(store, { credentials: ada }).getBlob('app', digest),
    ],
    [
      'whether a blob is there',
      /\/blobs\//,
      (store) => clientOf(store, { credentials: ada }).hasBlob('app', digest),
    ],
    [
      'a manifest',
      /\/manifests\//,
      (store) => clientOf(store, { credentials: ada }).getManifest('app', 'v1'),
    ],
    ['a digest', /\/manifests\//, (store) => clientOf(store, { credentials: ada }).headManifest('app', 'v1')],
    ['tags', /\/tags\//, (store) => clientOf(store, { credentials: ada }).listTags('app', 5)],
    ['/v2/ itself', /\/v2\/$/, (store) => clientOf(store, { credentials: ada }).ping()],
  ];
  const challenges = (own: string, tokens: string) => [
    `Bearer realm="http://${own}/token",service="x",scope="repository:app:pull"`,
    `Bearer realm="http://${tokens}/token"`,
    'Basic realm="x"',
  ];

  it.each(
    ways.flatMap(([what, path, ask]) =>
      (['basic', 'bearer'] as const).map((how) => [what, how, path, ask] as const),
    ),
  )(
    'asks for credentials where the registry sends for %s (%s): it gets none, and the error names it',
    async (_, how, path, ask) => {
      for (const which of [0, 1, 2]) {
        const storage: TestServer = await server(({ url }) =>
          url.startsWith('/token')
            ? json(401, {})
            : json(
                401,
                { errors: [{ code: 'GIVE_ME' }] },
                { 'www-authenticate': challenges(storage.host, place.tokens.host)[which] ?? '' },
              ),
        );
        const place = await guarded(how, ({ url }) => (path.test(url) ? sendsTo(storage.host) : undefined));
        putImage(place.store, 'app', 'v1');
        const error = await ask(place.store).catch((one: unknown) => one);
        expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining(storage.host) });
        expect(authorizations(storage).filter(Boolean)).toEqual([]);
        expect(storage.asked.length).toBeGreaterThan(0);
      }
    },
  );

  it('teaches nothing about the registry: its next request goes as before', async () => {
    const storage: TestServer = await server(() =>
      json(401, {}, { 'www-authenticate': `Bearer realm="http://${storage.host}/token"` }),
    );
    const { store, tokens, wanted } = await guarded('bearer', ({ url }) =>
      url.includes('/blobs/') ? sendsTo(storage.host) : undefined,
    );
    putImage(store, 'app', 'v1');
    const client = clientOf(store, { credentials: ada });
    await expect(client.readBlob('app', digest, 100)).rejects.toMatchObject({ code: 'unreachable' });
    const [before, stored] = [tokens.asked.length, store.asked.length];
    await client.getManifest('app', 'v1');
    expect(tokens.asked).toHaveLength(before);
    expect(authorizations(store).slice(stored)).toEqual([wanted]);
  });

  it('may want a token that anybody gets: it is asked for without the account, and goes nowhere else', async () => {
    const mirror: TestServer = await server(({ url, headers }) => {
      if (url.startsWith('/token')) return json(200, { token: 'of-anybody' });
      return headers.authorization === 'Bearer of-anybody'
        ? { status: 200, body: bytes }
        : json(
            401,
            {},
            {
              'www-authenticate': `Bearer realm="http://${mirror.host}/token",scope="repository:k8s/app:pull"`,
            },
          );
    });
    const { store, wanted } = await guarded('bearer', ({ url }) =>
      url.includes('/blobs/') ? sendsTo(mirror.host) : undefined,
    );
    const client = clientOf(store, { credentials: ada });
    for (let i = 0; i < 2; i++) expect(String(await client.readBlob('app', digest, 100))).toBe(bytes);
    expect(mirror.asked.map(({ url }) => url)).toEqual([
      '/signed',
      '/token?scope=repository%3Ak8s%2Fapp%3Apull',
      '/signed',
      '/signed',
    ]);
    expect(authorizations(mirror)).toEqual([undefined, undefined, 'Bearer of-anybody', 'Bearer of-anybody']);
    for (const sent of authorizations(store)) expect([undefined, wanted]).toContain(sent);
  });

  it.each([
    [404, 'not-found'],
    [429, 'rate-limited'],
    [403, 'unreachable'],
    [503, 'unreachable'],
    [418, 'refused'],
  ])('is named where it answers %i', async (status, code) => {
    const storage = await server(() => ({ status }));
    const { store } = await guarded('basic', () => sendsTo(storage.host));
    await expect(clientOf(store, { credentials: ada }).readBlob('app', digest, 100)).rejects.toMatchObject({
      code,
      host: storage.host,
      message: expect.stringContaining(storage.host),
    });
  });

  it('is named where it sends other bytes, or more than there may be', async () => {
    const storage = await server(({ url }) => ({
      status: 200,
      body: url.includes('signed') ? 'x'.repeat(50) : '',
    }));
    const { store } = await guarded('basic', () => sendsTo(storage.host));
    const client = clientOf(store, { credentials: ada });
    const named = expect.stringContaining(storage.host);
    await expect(client.readBlob('app', digest, 100)).rejects.toMatchObject({
      code: 'corrupt',
      message: named,
    });
    await expect(client.readBlob('app', digest, 10)).rejects.toMatchObject({
      code: 'too-large',
      message: named,
    });
  });

  it.each([301, 302, 303, 307, 308])('is found again by way of the registry after %i', async (status) => {
    const storage = await server(() => ({ status: 200, body: bytes }));
    const { store } = await guarded('basic', () => sendsTo(storage.host, status));
    expect(String(await clientOf(store, { credentials: ada }).readBlob('app', digest, 100))).toBe(bytes);
    expect(authorizations(storage)).toEqual([undefined]);
  });
});

describe('lists of referrers', () => {
  const list = (manifests: object[]) => ({ schemaVersion: 2, manifests });
  const one = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha256('a'), size: 1 };

  it('go on at the registry, whatever host their next page names', async () => {
    const other = await server(() => json(200, list([])));
    const { store, wanted } = await guarded('bearer', ({ url }) => {
      if (!url.includes('/referrers/')) return undefined;
      if (url.includes('page=2')) return json(200, list([{ ...one, digest: sha256('b') }]));
      return json(200, list([one]), { link: `<http://${other.host}${url}?page=2>; rel="next"` });
    });
    const { manifests } = await clientOf(store, { credentials: ada }).listReferrers('app', digest);
    expect(manifests.map((found) => found.digest)).toEqual([sha256('a'), sha256('b')]);
    expect(other.asked).toEqual([]);
    expect(authorizations(store).at(-1)).toBe(wanted);
  });

  it('that lie elsewhere teach nothing, and get nothing', async () => {
    const other: TestServer = await server(() =>
      json(401, {}, { 'www-authenticate': `Bearer realm="http://${other.host}/token"` }),
    );
    const { store } = await guarded('basic', ({ url }) =>
      url.includes('/referrers/') ? sendsTo(other.host) : undefined,
    );
    await clientOf(store, { credentials: ada }).listReferrers('app', digest);
    expect(other.asked.length).toBeGreaterThan(0);
    expect(authorizations(other).filter(Boolean)).toEqual([]);
  });
});

describe('a host that uploads go to', () => {
  it.each(['basic', 'bearer'] as const)('gets no credentials (%s), whatever it asks for', async (how) => {
    for (const which of ['Basic realm="x"', 'Bearer']) {
      const storage: TestServer = await server(({ url }) =>
        url.startsWith('/token')
          ? json(401, {})
          : json(
              401,
              {},
              {
                'www-authenticate':
                  which === 'Bearer' ? `Bearer realm="http://${storage.host}/token"` : which,
              },
            ),
      );
      const { store } = await guarded(how, ({ method }) =>
        method === 'POST' ? sendsTo(storage.host, 202) : undefined,
      );
      const client = clientOf(store, { credentials: ada });
      const named = { code: 'unreachable', message: expect.stringContaining(storage.host) };
      await expect(client.putBlob('app', digest, Buffer.from(bytes))).rejects.toMatchObject(named);
      await client.probePush('app');
      expect(authorizations(storage).filter(Boolean)).toEqual([]);
    }
  });

  it('by a redirect that keeps the method gets the whole blob', async () => {
    const storage = await server(() => ({ status: 201 }));
    const { store } = await guarded('basic', ({ method }) =>
      method === 'PUT' ? sendsTo(storage.host, 308) : undefined,
    );
    await clientOf(store, { credentials: ada }).putBlob('app', digest, Buffer.from(bytes));
    expect(storage.asked.map(({ method, body }) => [method, String(body)])).toEqual([['PUT', bytes]]);
    expect(authorizations(storage)).toEqual([undefined]);
  });
});

it('a public host does not lead on into the private network', async () => {
  const inner = await server(() => ({ status: 200, body: bytes }));
  const outer = await server(() => sendsTo(inner.host));
  const store = await server(() => sendsTo(outer.host));
  // The one between is reached, as a public one would be, and is none of the stage's.
  const listed = network({ privateHosts: [inner.host, store.host] });
  const reaching = {
    ...listed,
    send: (request: Parameters<typeof listed.send>[0]) =>
      request.url.host === outer.host
        ? network().send({ ...request, mayBePrivate: true })
        : listed.send(request),
  };
  await expect(clientOf(store, { network: reaching }).readBlob('app', digest, 100)).rejects.toMatchObject({
    code: 'tls',
  });
  expect(inner.asked).toEqual([]);
});

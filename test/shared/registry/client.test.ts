import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { dockerList, dockerManifest, ociManifest } from '../../../shared/registry/media-types.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { putImage, putIndex, signedSchema1 } from './images.ts';
import {
  type Answer,
  type Asked,
  json,
  sha256,
  startMemoryRegistry,
  startServer,
  type TestServer,
} from './servers.ts';

const open: { stop(): Promise<void> }[] = [];
const network = (timeoutMs?: number) => {
  const one = createNetwork({ privateHosts: ['127.0.0.1'], ...(timeoutMs ? { timeoutMs } : {}) });
  open.push({ stop: async () => one.close() });
  return one;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});
const registry = async (before?: (asked: Asked) => Answer | undefined) => {
  const one = await startMemoryRegistry(before);
  open.push(one);
  return one;
};
const server = async (answer: Parameters<typeof startServer>[0]) => {
  const one = await startServer(answer);
  open.push(one);
  return one;
};
const clientOf = ({ host }: TestServer, more: Partial<Parameters<typeof createRegistryClient>[0]> = {}) =>
  createRegistryClient({ host, insecure: true, network: network(), ...more });

describe('I2 what an image name points at', () => {
  it('reads a configuration whose fields are null, as engines write for images from scratch', async () => {
    const store = await registry();
    const text = JSON.stringify({
      os: null,
      architecture: null,
      variant: null,
      created: null,
      config: { Env: ['A=1'] },
    });
    const config = {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: store.putBlob(text),
      size: text.length,
    };
    store.put(
      'app',
      'v1',
      dockerManifest,
      JSON.stringify({ schemaVersion: 2, mediaType: dockerManifest, config, layers: [] }),
    );
    expect(await clientOf(store).resolveManifest('app', 'v1')).toMatchObject({
      platform: 'linux/amd64',
      config: { env: ['A=1'] },
    });
  });

  it.each([ociManifest, dockerManifest])(
    'reads %s: digest, platform, size, layers, configuration',
    async (type) => {
      const store = await registry();
      const config = {
        Env: ['A=1'],
        Entrypoint: ['/run'],
        Cmd: null,
        User: '1000',
        ExposedPorts: { '8888/tcp': {} },
      };
      const digest = putImage(store, 'team/app', 'v1', { type, config });
      const found = await clientOf(store).resolveManifest('team/app', 'v1');
      expect(found).toMatchObject({
        digest,
        mediaType: type,
        platforms: ['linux/amd64'],
        platform: 'linux/amd64',
        platformDigest: digest,
        config: { env: ['A=1'], entrypoint: ['/run'], command: [], user: '1000', exposedPorts: ['8888/tcp'] },
      });
      const configSize = store.blobs.get(found.configDigest ?? '')?.length ?? 0;
      expect(found.sizeBytes).toBe(configSize + 'amd64 base'.length + 'amd64 top'.length);
      expect((await clientOf(store).resolveManifest('team/app', digest)).digest).toBe(digest);
    },
  );

  it('chooses the platform of an index, and leaves attestations out', async () => {
    const store = await registry();
    const image = (architecture: string, variant?: string) => ({
      digest: putImage(store, 'app', `${architecture}${variant ?? ''}`, {
        architecture,
        ...(variant ? { variant } : {}),
      }),
      platform: { os: 'linux', architecture, ...(variant ? { variant } : {}) },
    });
    const [arm7, arm64, amd64] = [image('arm', 'v7'), image('arm64'), image('amd64')];
    const attestation = { digest: arm7.digest, platform: { os: 'unknown', architecture: 'unknown' } };
    const digest = putIndex(store, 'app', 'all', [arm7, arm64, amd64, attestation], dockerList);
    const resolve = (platform?: string) => clientOf(store).resolveManifest('app', 'all', platform);
    expect(await resolve()).toMatchObject({
      digest,
      platform: 'linux/amd64',
      platformDigest: amd64.digest,
      platforms: ['linux/arm/v7', 'linux/arm64', 'linux/amd64'],
    });
    expect(await resolve('linux/arm64/v8')).toMatchObject({ platformDigest: arm64.digest });
    expect(await resolve('linux/arm/v7')).toMatchObject({ platformDigest: arm7.digest });
    await expect(resolve('windows/amd64')).rejects.toMatchObject({
      code: 'no-platform',
      message: "The image isn't made for windows/amd64; it is for linux/arm/v7, linux/arm64, linux/amd64.",
    });
    await expect(resolve('nonsense')).rejects.toMatchObject({ code: 'no-platform' });
  });

  it('takes the only platform there is unless another was asked for', async () => {
    const store = await registry();
    putImage(store, 'app', 'arm', { architecture: 'arm64', variant: 'v8' });
    expect((await clientOf(store).resolveManifest('app', 'arm')).platform).toBe('linux/arm64/v8');
    await expect(clientOf(store).resolveManifest('app', 'arm', 'linux/amd64')).rejects.toMatchObject({
      code: 'no-platform',
    });
  });

  it("reads Docker's schema 1, whose digest is over what was signed", async () => {
    const store = await registry();
    const [base, top] = [store.putBlob('base layer'), store.putBlob('top')];
    const { body, unsigned } = signedSchema1([top, base, base], { Cmd: ['sh'] });
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const digest = sha256(unsigned);
    store.put('old/image', '1', type, body);
    store.manifests.set(`old/image@${digest}`, { type, body: Buffer.from(body) });
    const plain = await server(
      ({ url }): Answer =>
        url.endsWith(digest) || url.endsWith('/1')
          ? { status: 200, headers: { 'content-type': type }, body }
          : { status: 200, headers: { 'content-length': '3' }, body: 'abc' },
    );
    for (const reference of ['1', digest])
      expect(await clientOf(plain).resolveManifest('old/image', reference)).toMatchObject({
        digest,
        layers: [{ digest: base }, { digest: top }],
        sizeBytes: 6,
        config: { command: ['sh'] },
      });
  });

  it('says what is missing and what is no image', async () => {
    const store = await registry();
    await expect(clientOf(store).resolveManifest('app', 'none')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('manifest unknown'),
    });
    store.put(
      'chart',
      '1',
      ociManifest,
      JSON.stringify({
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('x'), size: 1 },
        layers: [],
      }),
    );
    await expect(clientOf(store).resolveManifest('chart', '1')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('helm'),
    });
    for (const body of ['not json', '[]', '{"config":1}', '{"manifests":[{"digest":"x"}]}']) {
      store.put('bad', '1', ociManifest, body);
      await expect(clientOf(store).resolveManifest('bad', '1')).rejects.toMatchObject({ code: 'corrupt' });
    }
  });
});

describe('bytes are what their digest says', () => {
  it('manifests and blobs, asked for by digest', async () => {
    const liar = await server(({ url }) => ({
      status: 200,
      headers: { 'content-type': ociManifest },
      body: url.includes('manifests') ? '{"layers":[]}' : 'other',
    }));
    const client = clientOf(liar);
    const corrupt = { code: 'corrupt' };
    await expect(client.getManifest('app', sha256('{}'))).rejects.toMatchObject(corrupt);
    await expect(client.readBlob('app', sha256('bytes'), 100)).rejects.toMatchObject(corrupt);
    const { stream } = await client.getBlob('app', sha256('bytes'));
    await expect(buffer(stream)).rejects.toMatchObject(corrupt);
    await expect(client.getBlob('app', 'sha256:../../x')).rejects.toMatchObject(corrupt);
  });

  it('a header that names another digest than the body has', async () => {
    const liar = await server(() => ({
      status: 200,
      headers: { 'content-type': ociManifest, 'docker-content-digest': sha256('other') },
      body: '{"layers":[]}',
    }));
    await expect(clientOf(liar).getManifest('app', 'latest')).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('a header that names a digest of another algorithm: it is checked, and the answer has the usual one', async () => {
    const body = '{"layers":[]}';
    const sha512 = (text: string) => `sha512:${createHash('sha512').update(text).digest('hex')}`;
    const naming = (digest: string) =>
      server(() => ({
        status: 200,
        headers: { 'content-type': ociManifest, 'docker-content-digest': digest },
        body,
      }));
    const honest = clientOf(await naming(sha512(body)));
    expect((await honest.getManifest('app', 'latest')).digest).toBe(sha256(body));
    expect((await honest.getManifest('app', sha512(body))).digest).toBe(sha512(body));
    for (const wrong of [sha512('other'), sha512(body).toUpperCase(), 'md5:00', ''])
      await expect(clientOf(await naming(wrong)).getManifest('app', 'latest')).rejects.toMatchObject({
        code: 'corrupt',
      });
  });

  it('answers that have no end are cut off', async () => {
    const endless = await server(() => ({ status: 200, body: Buffer.alloc(5_000_000, 32) }));
    await expect(clientOf(endless).getManifest('app', 'latest')).rejects.toMatchObject({ code: 'too-large' });
    await expect(clientOf(endless).readBlob('app', sha256('x'), 1000)).rejects.toMatchObject({
      code: 'too-large',
    });
  });
});

describe('I7 pushing', () => {
  it('uploads blobs and manifests, finds them and gives them back', async () => {
    const store = await registry();
    const client = clientOf(store);
    const bytes = Buffer.from('a layer');
    const digest = sha256(bytes);
    expect(await client.hasBlob('app', digest)).toBeUndefined();
    await client.putBlob('app', digest, bytes);
    const other = await registry();
    other.putBlob('streamed');
    await client.putBlob('app', sha256('streamed'), await clientOf(other).getBlob('app', sha256('streamed')));
    expect(await client.hasBlob('app', digest)).toBe(bytes.length);
    const { stream, sizeBytes } = await client.getBlob('app', sha256('streamed'));
    expect([sizeBytes, String(await buffer(stream))]).toEqual([8, 'streamed']);
    const manifest = Buffer.from(JSON.stringify({ config: {}, layers: [] }));
    expect(await client.putManifest('app', 'v1', ociManifest, manifest)).toBe(sha256(manifest));
    expect(await client.headManifest('app', 'v1')).toEqual({
      digest: sha256(manifest),
      mediaType: ociManifest,
    });
    await client.deleteManifest('app', 'v1');
    expect(await client.headManifest('app', 'v1')).toBeUndefined();
  });

  it('mounts what the registry has, and says where it has not', async () => {
    const store = await registry();
    const digest = store.putBlob('shared');
    expect(await clientOf(store).mountBlob('app', digest, 'base')).toBe(true);
    expect(await clientOf(store).mountBlob('app', sha256('nothing'), 'base')).toBe(false);
    // The upload that began instead was given up.
    expect(store.asked.at(-1)).toMatchObject({ method: 'DELETE' });
  });

  it('sends nothing whose bytes are not those of the digest', async () => {
    const store = await registry();
    await expect(clientOf(store).putBlob('app', sha256('a'), Buffer.from('b'))).rejects.toMatchObject({
      code: 'corrupt',
    });
    expect(store.blobs.size).toBe(0);
  });
});

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
    const hurried = clientOf(silent, { network: network(500) });
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
    const { stream } = await clientOf(store, { network: network(500) }).getBlob('app', sha256('x'));
    await expect(buffer(stream)).rejects.toThrow();
  });
});

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ociManifest } from '../../../shared/registry/media-types.ts';
import { openedByTests } from './opened.ts';
import { sha256 } from './servers.ts';

const { registry, server, clientOf } = openedByTests();

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
    for (const wrong of [sha512('other'), sha512(body).toUpperCase(), 'md5:00'])
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

/** I7: signatures and SBOMs go with an image, whether a registry lists them itself, keeps them under tags, or knows none. */
import { afterEach, expect, it } from 'vitest';
import type { Side } from '../../builder/mirror/copy-blobs.ts';
import { copyReferrers } from '../../builder/mirror/copy-referrers.ts';
import { startDockerRegistry } from '../../scripts/docker-registry.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { sha256Of } from '../../shared/registry/digest.ts';
import { ociIndex, ociManifest } from '../../shared/registry/media-types.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import { type Answer, type Asked, json, startMemoryRegistry } from '../shared/registry/servers.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

const sideOf = (host: string): Side => {
  const network = createNetwork({ privateHosts: ['127.0.0.1'], timeoutMs: 5000 });
  ends.push(async () => network.close());
  return { client: createRegistryClient({ host, insecure: true, network }), repository: 'app' };
};
async function debian(): Promise<Side> {
  const registry = await startDockerRegistry();
  ends.push(registry.stop);
  return sideOf(registry.host);
}
async function memory(before?: (asked: Asked) => Answer | undefined): Promise<Side> {
  const registry = await startMemoryRegistry(before);
  ends.push(registry.stop);
  return sideOf(registry.host);
}

/** A manifest with one layer; answers how a list names it. */
async function push({ client, repository }: Side, content: string, subject?: string, tag?: string) {
  const blob = async (text: string, mediaType: string) => {
    const body = Buffer.from(text);
    await client.putBlob(repository, sha256Of(body), body);
    return { mediaType, digest: sha256Of(body), size: body.length };
  };
  const artifactType = 'application/spdx+json';
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      ...(subject ? { artifactType, subject: { mediaType: ociManifest, digest: subject, size: 1 } } : {}),
      config: await blob('{}', 'application/vnd.oci.empty.v1+json'),
      layers: [await blob(content, artifactType)],
    }),
  );
  const digest = await client.putManifest(repository, tag ?? sha256Of(body), ociManifest, body);
  const annotations = { 'org.example': content };
  return { mediaType: ociManifest, digest, size: body.length, artifactType, annotations };
}

const index = (manifests: object[]) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
const fallback = (digest: string) => digest.replace(':', '-');

async function copy(from: Side, to: Side, digest: string) {
  const counts = { movedBlobs: 0, mountedBlobs: 0, existingBlobs: 0, movedBytes: 0 };
  const lines: string[] = [];
  await copyReferrers(from, to, [{ digest }], counts, (line) => void lines.push(line));
  return { counts, lines };
}

it('what is noted under the tag of the digest, with what refers to that in its turn, and what cosign tagged', async () => {
  const [from, to] = await Promise.all([debian(), debian()]);
  const image = await push(from, 'image', undefined, '1');
  const sbom = await push(from, 'sbom', image.digest);
  const signature = await push(from, 'signature of the sbom', sbom.digest);
  const note = (side: Side, of: string, manifests: object[]) =>
    side.client.putManifest('app', fallback(of), ociIndex, index(manifests));
  await note(from, image.digest, [sbom]);
  await note(from, sbom.digest, [signature]);
  const cosign = await push(from, 'cosign', undefined, `${fallback(image.digest)}.sig`);
  // Somebody has noted something in the target, too.
  const theirs = await push(to, 'theirs', image.digest);
  await note(to, image.digest, [theirs]);

  const { counts, lines } = await copy(from, to, image.digest);
  expect(await to.client.listReferrers('app', image.digest)).toEqual({
    manifests: [theirs, sbom],
    kept: false,
  });
  expect(await to.client.listReferrers('app', sbom.digest)).toEqual({ manifests: [signature], kept: false });
  expect(await to.client.headManifest('app', `${fallback(image.digest)}.sig`)).toMatchObject({
    digest: cosign.digest,
  });
  expect(String(await to.client.readBlob('app', sha256Of(Buffer.from('sbom')), 100))).toBe('sbom');
  expect(counts).toMatchObject({ movedBlobs: 3 });
  expect(lines).toContain(`referrer ${sbom.digest} application/spdx+json of ${image.digest}`);

  await copy(from, to, image.digest);
  expect((await to.client.listReferrers('app', image.digest)).manifests).toHaveLength(2);
});

it('what a registry lists itself goes to one that does, without a tag', async () => {
  const image = `sha256:${'1'.repeat(64)}`;
  let listed: object[] = [];
  const listing = ({ url }: Asked) =>
    url.endsWith(`/referrers/${image}`)
      ? { status: 200, headers: { 'content-type': ociIndex }, body: index(listed) }
      : undefined;
  const from = await memory(listing);
  const to = await memory(listing);
  const sbom = await push(from, 'sbom', image);
  listed = [sbom];
  await copy(from, to, image);
  expect(await to.client.headManifest('app', sbom.digest)).toMatchObject({ digest: sbom.digest });
  expect(await to.client.headManifest('app', fallback(image))).toBeUndefined();
});

/** A registry that lists this many referrers of every image, so many to a page, and says as `link` where it goes on. */
const paging = (total: number, perPage: number, link: (path: string, from: number, host: string) => string) =>
  memory(({ url, headers }) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (!pathname.includes('/referrers/')) return undefined;
    const from = Number(searchParams.get('from') ?? 0);
    const to = Math.min(from + perPage, total);
    const page = Array.from({ length: to - from }, (_, i) => ({
      mediaType: ociManifest,
      digest: sha256Of(Buffer.from(`${from + i}`)),
      size: 1,
    }));
    const told: Record<string, string> = { 'content-type': ociIndex };
    if (to < total) told.link = link(pathname, to, String(headers.host));
    return { status: 200, headers: told, body: index(page) };
  });
const subject = `sha256:${'1'.repeat(64)}`;

it.each<[string, (path: string, from: number, host: string) => string]>([
  ['path', (path, from) => `<${path}?from=${from}>; rel="next"`],
  ['query alone, among others', (_, from) => `<?from=0>; rel="first", <?from=${from}>; rel=next`],
  ['URL', (path, from, host) => `<http://${host}${path}?from=${from}>; rel="next"`],
  [
    'URL of another host, which is not asked',
    (path, from) => `<http://127.0.0.1:1/${path}?from=${from}>; rel="next"`,
  ],
])('a list in pages that go on at a %s is read to its end', async (_, link) => {
  const { client } = await paging(7, 3, link);
  const { manifests, kept } = await client.listReferrers('app', subject);
  expect(manifests.map(({ digest }) => digest)).toEqual(
    Array.from({ length: 7 }, (_, i) => sha256Of(Buffer.from(`${i}`))),
  );
  expect(kept).toBe(true);
});

it('a list in pages that is too long is known to be', async () => {
  const { client } = await paging(1000, 90, (path, from) => `<${path}?from=${from}>; rel="next"`);
  expect((await client.listReferrers('app', subject)).manifests).toHaveLength(270);
});

it.each([
  ['goes round', '?from=0'],
  ['breaks off', '/v2/app/lost'],
])('a list in pages that %s is not taken for all', async (_, next) => {
  const { client } = await paging(7, 3, () => `<${next}>; rel="next"`);
  await expect(client.listReferrers('app', subject)).rejects.toMatchObject({ name: 'RegistryError' });
});

it.each([
  ['404', json(404, { errors: [{ code: 'NOT_FOUND' }] })],
  ['401 for what it does not know', json(401, {})],
  ['405', json(405, {})],
  ['a page', { status: 200, body: '<html>' }],
  ['nonsense', json(200, { manifests: 'none' })],
])('a registry that answers %s has none', async (_, answer) => {
  const from = await memory(({ url }) =>
    url.includes('/referrers/') || url.includes('/manifests/sha256-') ? answer : undefined,
  );
  const image = await push(from, 'image', undefined, '1');
  expect(await from.client.listReferrers('app', image.digest)).toEqual({ manifests: [], kept: false });
});

it('a list that cannot be had for now is not taken for an empty one', async () => {
  const from = await memory(({ url }) => (url.includes('/referrers/') ? json(503, {}) : undefined));
  await expect(copy(from, await memory(), `sha256:${'1'.repeat(64)}`)).rejects.toMatchObject({
    failure: { code: 'source-unavailable' },
  });
});

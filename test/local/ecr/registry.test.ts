import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acmeRole, codeOf, ecrPlace, indexType, manifestType, sha256 } from './place.ts';

let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace();
  await place.create('acme/app');
  await place.create('acme/other');
});
afterAll(() => place.cloud.close());

describe('the registry checks who asks', () => {
  test('without a password, or with a wrong one, 401 with a challenge', async () => {
    const answer = await fetch(`http://${place.cloud.registryHost}/v2/`);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
    expect(await codeOf(answer)).toBe('401 UNAUTHORIZED');
    const forged = Buffer.from(`AWS:${Buffer.from('{"principal":{}}').toString('base64url')}.AAAA`).toString(
      'base64',
    );
    expect((await place.request('GET', '/v2/', undefined, { authorization: `Basic ${forged}` })).status).toBe(
      401,
    );
    expect((await place.request('GET', '/v2/')).status).toBe(200);
  });

  test('R8 a password works for 12 hours', async () => {
    const { cloud, request } = place;
    const now = cloud.now;
    const at = (hours: number) =>
      Object.assign(cloud, { now: () => new Date(now().getTime() + hours * 3_600_000) });
    at(11.9);
    expect((await request('GET', '/v2/')).status).toBe(200);
    at(12.1);
    const answer = await request('GET', '/v2/');
    Object.assign(cloud, { now });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain(
      'Your authorization token has expired. Reauthenticate and try again.',
    );
  });

  test.each([
    ['ecr:BatchGetImage', 'GET', 'manifests/v1'],
    ['ecr:PutImage', 'PUT', 'manifests/v1'],
    ['ecr:GetDownloadUrlForLayer', 'GET', `blobs/${sha256('x')}`],
    ['ecr:BatchCheckLayerAvailability', 'HEAD', `blobs/${sha256('x')}`],
    ['ecr:InitiateLayerUpload', 'POST', 'blobs/uploads/'],
    ['ecr:UploadLayerPart', 'PATCH', 'blobs/uploads/00000000-0000-0000-0000-000000000000'],
    ['ecr:CompleteLayerUpload', 'PUT', 'blobs/uploads/00000000-0000-0000-0000-000000000000'],
    ['ecr:ListImages', 'GET', 'tags/list'],
  ])('%s is needed for %s %s', async (action, method, path) => {
    place.cloud.denied.add(`${acmeRole} ${action}`);
    const answer = await place.request(method, `/v2/acme/app/${path}`);
    place.cloud.denied.clear();
    expect(answer.status).toBe(403);
    if (method !== 'HEAD') expect(await answer.text()).toContain(`is not authorized to perform: ${action}`);
  });

  test('R4 a repository that nobody made is refused', async () => {
    expect(await codeOf(await place.request('POST', '/v2/acme/nothing/blobs/uploads/'))).toBe(
      '404 NAME_UNKNOWN',
    );
  });
});

describe('the registry takes manifests', () => {
  test('by tag, and serves them by tag and digest', async () => {
    const manifest = await place.manifestOf('acme/app', 'layer one');
    const put = await place.putManifest('acme/app', 'v1', manifest);
    expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, sha256(manifest)]);
    for (const reference of ['v1', sha256(manifest)]) {
      const got = await place.request('GET', `/v2/acme/app/manifests/${reference}`);
      expect([got.headers.get('content-type'), await got.text()]).toEqual([manifestType, manifest]);
    }
    const head = await place.request('HEAD', '/v2/acme/app/manifests/v1');
    expect(head.headers.get('content-length')).toBe(String(manifest.length));
    expect(await codeOf(await place.request('GET', '/v2/acme/app/manifests/none'))).toBe(
      '404 MANIFEST_UNKNOWN',
    );
  });

  test('only when everything they refer to is there', async () => {
    const manifest = JSON.parse(await place.manifestOf('acme/app', 'layer two'));
    manifest.layers[0].digest = sha256('missing');
    expect(await codeOf(await place.putManifest('acme/app', 'v2', JSON.stringify(manifest)))).toBe(
      '400 MANIFEST_BLOB_UNKNOWN',
    );
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [{ mediaType: manifestType, digest: sha256('missing'), size: 3 }],
    });
    expect(await codeOf(await place.putManifest('acme/app', 'v2', index, indexType))).toBe(
      '400 MANIFEST_BLOB_UNKNOWN',
    );
  });

  test.each([
    ['no JSON', '{', manifestType, 'v3', '400 MANIFEST_INVALID'],
    ['another media type', '{}', 'text/plain', 'v3', '400 MANIFEST_INVALID'],
    ['missing fields', '{"schemaVersion":2}', manifestType, 'v3', '400 MANIFEST_INVALID'],
    ['a bad tag', '{}', manifestType, '.v3', '400 TAG_INVALID'],
    ['another digest than its own', '{}', manifestType, sha256('other'), '400 DIGEST_INVALID'],
    [
      'more than 4 MiB',
      JSON.stringify({ x: 'x'.repeat(4 * 1024 * 1024) }),
      manifestType,
      'v3',
      '413 SIZE_INVALID',
    ],
  ])('not with %s', async (_, body, type, reference, code) => {
    expect(await codeOf(await place.putManifest('acme/app', reference, body, type))).toBe(code);
  });

  test('with the sizes that its blobs have, whatever it says of them', async () => {
    const manifest = JSON.parse(await place.manifestOf('acme/app', 'small'));
    for (const part of [manifest.config, ...manifest.layers]) part.size = Number.MAX_SAFE_INTEGER;
    expect((await place.putManifest('acme/app', 'liar', JSON.stringify(manifest))).status).toBe(201);
    const { imageDetails } = await place.client.send(
      new DescribeImagesCommand({ repositoryName: 'acme/app', imageIds: [{ imageTag: 'liar' }] }),
    );
    expect(imageDetails?.[0]?.imageSizeInBytes).toBe('{}'.length + 'small'.length);
  });

  test('moves no immutable tag, except those excluded', async () => {
    await place.create('acme/fixed', {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'cache*' }],
    });
    const [one, two] = [await place.manifestOf('acme/fixed', '1'), await place.manifestOf('acme/fixed', '2')];
    for (const tag of ['v1', 'cache-main'])
      expect((await place.putManifest('acme/fixed', tag, one)).status).toBe(201);
    expect(await codeOf(await place.putManifest('acme/fixed', 'v1', two))).toBe('400 TAG_INVALID');
    expect((await place.putManifest('acme/fixed', 'v1', one)).status).toBe(201);
    expect((await place.putManifest('acme/fixed', 'cache-main', two)).status).toBe(201);
  });

  test('lists tags by pages, and what refers to an image', async () => {
    await place.create('acme/lists');
    const subject = await place.pushImage('acme/lists', 'b', 'x');
    await place.pushImage('acme/lists', 'a', 'x');
    const first = await place.request('GET', '/v2/acme/lists/tags/list?n=1');
    expect(await first.json()).toEqual({ name: 'acme/lists', tags: ['a'] });
    expect(first.headers.get('link')).toBe('</v2/acme/lists/tags/list?n=1&last=a>; rel="next"');
    const second = await place.request('GET', '/v2/acme/lists/tags/list?n=1&last=a');
    expect([await second.json(), second.headers.get('link')]).toEqual([
      { name: 'acme/lists', tags: ['b'] },
      null,
    ]);
    const about = await place.manifestOf('acme/lists', 'signature', {
      artifactType: 'application/signature',
      subject: { mediaType: manifestType, digest: subject, size: 1 },
    });
    const put = await place.putManifest('acme/lists', sha256(about), about);
    expect(put.headers.get('oci-subject')).toBe(subject);
    const referrers = await place.request(
      'GET',
      `/v2/acme/lists/referrers/${subject}?artifactType=application/signature`,
    );
    expect(await referrers.json()).toMatchObject({
      manifests: [{ digest: sha256(about), artifactType: 'application/signature' }],
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, ecrPlace, indexType, sha256 } from './place.ts';

let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace();
  await place.create('acme/app');
});
afterAll(() => place.cloud.close());

describe('the registry answers as the protocol has it', () => {
  let blob: string;
  let image: string;
  beforeAll(async () => {
    blob = await place.pushBlob('acme/app', 'known bytes');
    image = await place.pushImage('acme/app', 'known', 'of an image');
  });

  test.each([
    ['GET', '/v2/%zz/tags/list', '400 NAME_INVALID'],
    ['GET', '/v2/acme/app/manifests/%', '400 NAME_INVALID'],
    ['GET', '/v2/acme/app/blobs/%c3%28', '400 NAME_INVALID'],
    ['GET', '/v2//tags/list', '404 UNSUPPORTED'],
    ['GET', '/v2/Acme/tags/list', '404 NAME_UNKNOWN'],
    ['GET', '/v2/acme/app/referrers/sha256:x', '400 DIGEST_INVALID'],
    ['GET', '/v2/acme/app/referrers/known', '400 DIGEST_INVALID'],
    ['GET', `/v2/acme/app/referrers/${sha256('x').toUpperCase()}`, '400 DIGEST_INVALID'],
    ['GET', '/v2/acme/app/blobs/sha256:x', '400 DIGEST_INVALID'],
    ['GET', '/v2/acme/app/blobs/known', '400 DIGEST_INVALID'],
    ['GET', `/v2/acme/app/blobs/${sha256('nothing')}`, '404 BLOB_UNKNOWN'],
    ['GET', `/v2/acme/app/blobs/sha512:${'a'.repeat(128)}`, '404 BLOB_UNKNOWN'],
    ['GET', '/v2/acme/app/manifests/sha256:x', '400 DIGEST_INVALID'],
    ['GET', `/v2/acme/app/manifests/${sha256('nothing')}`, '404 MANIFEST_UNKNOWN'],
    ['GET', '/v2/acme/app/tags/list?n=-1', '400 PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/acme/app/tags/list?n=', '400 PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/acme/app/tags/list?n=0x10', '400 PAGINATION_NUMBER_INVALID'],
    ['POST', '/v2/acme/app/tags/list', '405 UNSUPPORTED'],
    ['DELETE', '/v2/acme/app/manifests/known', '405 UNSUPPORTED'],
    ['GET', '/v2/acme/app/blobs/uploads/../../x', '404 UNSUPPORTED'],
    ['GET', '/v2/acme/app/blobs/uploads/none', '404 BLOB_UPLOAD_UNKNOWN'],
  ])('%s %s: %s', async (method, path, code) => {
    expect(await codeOf(await place.request(method, path))).toBe(code);
  });

  test('an image without referrers has an empty list', async () => {
    const answer = await place.request('GET', `/v2/acme/app/referrers/${sha256('nothing')}`);
    expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toMatchObject([
      200,
      indexType,
      { manifests: [] },
    ]);
  });

  test.each(['GET', 'HEAD'])('%s of what the client has is 304', async (method) => {
    for (const [path, digest] of [
      [`blobs/${blob}`, blob],
      [`manifests/${image}`, image],
      ['manifests/known', image],
    ] as const) {
      const ask = async (etag: string) => {
        const answer = await place.request(method, `/v2/acme/app/${path}`, undefined, {
          'if-none-match': etag,
        });
        return [answer.status, answer.headers.get('etag'), (await answer.text()).length > 0];
      };
      for (const etag of [`"${digest}"`, `W/"${digest}"`, `"a", "${digest}"`, '*'])
        expect(await ask(etag)).toEqual([304, `"${digest}"`, false]);
      for (const etag of ['"other"', digest])
        expect(await ask(etag)).toEqual([200, `"${digest}"`, method === 'GET']);
    }
  });
});

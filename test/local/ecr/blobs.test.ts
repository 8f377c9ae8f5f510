import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GetAccountSettingCommand, PutAccountSettingCommand } from '@aws-sdk/client-ecr';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, ecrPlace, sha256 } from './place.ts';

let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace();
  await place.create('acme/app');
  await place.create('acme/other');
});
afterAll(() => place.cloud.close());

const blobFiles = () => readdirSync(join(place.cloud.home, 'registry/blobs/sha256'));

describe('the registry takes blobs', () => {
  test('in one piece', async () => {
    const digest = sha256('whole');
    const answer = await place.request('POST', `/v2/acme/app/blobs/uploads/?digest=${digest}`, 'whole');
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/acme/app/blobs/${digest}`]);
    expect(await (await place.request('GET', `/v2/acme/app/blobs/${digest}`)).text()).toBe('whole');
  });

  test('in one part and an end, as engines send them', async () => {
    const started = await place.request('POST', '/v2/acme/app/blobs/uploads/');
    const location = started.headers.get('location') ?? '';
    expect([started.status, started.headers.get('range')]).toEqual([202, '0-0']);
    const first = await place.request('PATCH', location, 'one', { 'content-range': '0-2' });
    expect([first.status, first.headers.get('range')]).toEqual([201, '0-2']);
    expect((await place.request('GET', location)).headers.get('range')).toBe('0-2');
    const answer = await place.request('PUT', `${location}?digest=${sha256('onetwo')}`, 'two', {
      'content-range': '3-5',
    });
    expect(answer.status).toBe(201);
    expect((await place.request('GET', location)).status).toBe(404);
  });

  test.each([{}, { 'content-range': '3-5' }])(
    'of several parts only the first, whose range all answers have: %j',
    async (headers) => {
      const started = await place.request('POST', '/v2/acme/app/blobs/uploads/');
      const location = started.headers.get('location') ?? '';
      await place.request('PATCH', location, 'one');
      const second = await place.request('PATCH', location, 'two', headers as Record<string, string>);
      expect([second.status, second.headers.get('range')]).toEqual([201, '0-2']);
      const whole = await place.request('PUT', `${location}?digest=${sha256('onetwo')}`);
      expect(await codeOf(whole)).toBe('400 DIGEST_INVALID');
    },
  );

  test.each([
    ['a part that came already', 'PATCH', '0-2'],
    ['a part that is not the next', 'PATCH', '5-7'],
    ['what is no range', 'PATCH', 'two'],
    ['another length than it has', 'PATCH', '3-9'],
    ['an end that came already', 'PUT', '0-2'],
    ['an end that is not the next', 'PUT', '6-8'],
  ])('not %s', async (_, method, range) => {
    const started = await place.request('POST', '/v2/acme/app/blobs/uploads/');
    const location = started.headers.get('location') ?? '';
    await place.request('PATCH', location, 'one', { 'content-range': '0-2' });
    const refused = await place.request(method, `${location}?digest=${sha256('onetwo')}`, 'two', {
      'content-range': range,
    });
    expect([refused.status, refused.headers.get('range')]).toEqual([416, '0-2']);
    const answer = await place.request('PUT', `${location}?digest=${sha256('onetwo')}`, 'two', {
      'content-range': '3-5',
    });
    expect(answer.status).toBe(201);
  });

  test.each(['PATCH', 'PUT', 'GET', 'DELETE'])(
    'into the repository that the upload was begun for, not by %s into another',
    async (method) => {
      const started = await place.request('POST', '/v2/acme/app/blobs/uploads/');
      const location = started.headers.get('location') ?? '';
      const elsewhere = location.replace('/acme/app/', '/acme/other/');
      const digest = sha256(`to ${method}`);
      const body = method === 'PATCH' || method === 'PUT' ? 'x' : undefined;
      expect(await codeOf(await place.request(method, `${elsewhere}?digest=${digest}`, body))).toBe(
        '404 BLOB_UPLOAD_UNKNOWN',
      );
      expect((await place.request('PUT', `${location}?digest=${digest}`, `to ${method}`)).status).toBe(201);
      expect((await place.request('HEAD', `/v2/acme/other/blobs/${digest}`)).status).toBe(404);
    },
  );

  test('only with the digest that they really have, and leaves nothing of the others', async () => {
    const before = blobFiles();
    const answer = await place.request('POST', `/v2/acme/app/blobs/uploads/?digest=${sha256('a')}`, 'b');
    expect(await codeOf(answer)).toBe('400 DIGEST_INVALID');
    expect(blobFiles()).toEqual(before);
    expect(readdirSync(join(place.cloud.home, 'registry/uploads'))).toEqual([]);
  });

  describe('from another repository', () => {
    const mounting = (value: string) =>
      place.client.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value }));
    afterEach(() => mounting('DISABLED'));
    const mount = async (to: string, from: string, digest: string) => {
      const answer = await place.request('POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`);
      const there = await place.request('HEAD', `/v2/${to}/blobs/${digest}`);
      return [answer.status, there.status];
    };

    test('only where the account has that on', async () => {
      const digest = await place.pushBlob('acme/app', 'shared layer');
      const get = () => place.client.send(new GetAccountSettingCommand({ name: 'BLOB_MOUNTING' }));
      expect(await get()).toMatchObject({ name: 'BLOB_MOUNTING', value: 'DISABLED' });
      expect(await mount('acme/other', 'acme/app', digest)).toEqual([202, 404]);
      expect(await mounting('ENABLED')).toMatchObject({ name: 'BLOB_MOUNTING', value: 'ENABLED' });
      expect(await get()).toMatchObject({ value: 'ENABLED' });
      expect(await mount('acme/other', 'acme/nothing', digest)).toEqual([202, 404]);
      expect(await mount('acme/other', 'acme/app', sha256('nothing'))).toEqual([202, 404]);
      expect(await mount('acme/other', 'acme/app', digest)).toEqual([201, 200]);
    });

    test('that the caller may read', async () => {
      await mounting('ENABLED');
      const digest = await place.pushBlob('acme/app', 'guarded layer');
      place.cloud.denied.add(
        'ecr:GetDownloadUrlForLayer arn:aws:ecr:us-east-1:000000000000:repository/acme/app',
      );
      expect(await mount('acme/other', 'acme/app', digest)).toEqual([202, 404]);
      place.cloud.denied.clear();
      expect(await mount('acme/other', 'acme/app', digest)).toEqual([201, 200]);
    });

    test('with the same encryption', async () => {
      await mounting('ENABLED');
      const kms = (kmsKey: string) => ({ encryptionConfiguration: { encryptionType: 'KMS', kmsKey } });
      const { repository } = await place.create('kms/one', kms('alias/one'));
      expect(repository?.encryptionConfiguration).toEqual({ encryptionType: 'KMS', kmsKey: 'alias/one' });
      await place.create('kms/same', kms('alias/one'));
      await place.create('kms/two', kms('alias/two'));
      const digest = await place.pushBlob('kms/one', 'sealed layer');
      expect(await mount('kms/same', 'kms/one', digest)).toEqual([201, 200]);
      expect(await mount('kms/two', 'kms/one', digest)).toEqual([202, 404]);
      expect(await mount('acme/app', 'kms/one', digest)).toEqual([202, 404]);
    });

    test.each([
      ['never from a pull-through cache', 'acme/other', 'hub/app'],
      ['nor into one', 'hub/app', 'acme/other'],
    ])('%s', async (_, to, from) => {
      const rule = {
        type: 'AWS::ECR::PullThroughCacheRule',
        properties: { EcrRepositoryPrefix: 'hub', UpstreamRegistryUrl: 'quay.io' },
      };
      const cached = await ecrPlace(undefined, {}, [rule]);
      await cached.client.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'ENABLED' }));
      for (const name of ['hub/app', 'acme/other']) await cached.create(name);
      const digest = await cached.pushBlob(from, 'cached layer');
      const answer = await cached.request('POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`);
      expect(answer.status).toBe(202);
      await cached.cloud.close();
    });

    test.each([
      [{ name: 'BLOB_MOUNTING', value: 'yes' }, 'InvalidParameterException'],
      [{ name: 'NOTHING', value: 'ENABLED' }, 'InvalidParameterException'],
      [{ name: 'BASIC_SCAN_TYPE_VERSION', value: 'AWS_NATIVE' }, 'UnsupportedOperation'],
    ])('not by the setting %j', async (input, name) => {
      await expect(place.client.send(new PutAccountSettingCommand(input))).rejects.toMatchObject({ name });
    });
  });

  test('and gives parts of them', async () => {
    const digest = await place.pushBlob('acme/app', '0123456789');
    const part = async (range: string) => {
      const answer = await place.request('GET', `/v2/acme/app/blobs/${digest}`, undefined, { range });
      return [answer.status, answer.headers.get('content-range'), await answer.text()];
    };
    expect(await part('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await part('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await part('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
    expect((await part('bytes=10-'))[0]).toBe(416);
    expect((await part('bytes=-0'))[0]).toBe(416);
    // What is no range, or several, counts for nothing.
    for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,3-4'])
      expect(await part(range)).toEqual([200, null, '0123456789']);
    const ifRange = async (etag: string) =>
      (
        await place.request('GET', `/v2/acme/app/blobs/${digest}`, undefined, {
          range: 'bytes=2-4',
          'if-range': etag,
        })
      ).status;
    expect([await ifRange(`"${digest}"`), await ifRange('"other"')]).toEqual([206, 200]);
  });
});

/** I4 on a real table: what is in the way of a purge, and what a purge that dies leaves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeImage, updateImage } from '../../../functions/images/change.ts';
import { purgeTag } from '../../../functions/images/purge.ts';
import { conflict } from '../../../shared/http/problem.ts';
import { requireImage, requireStaying } from '../../../shared/images/find.ts';
import { type ImageRecord, imageItem } from '../../../shared/images/record.ts';
import { newId } from '../../../shared/model/id.ts';
import { ConditionFailedError, columnKey, type Table } from '../../../shared/store/table.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';
import { imageRecord, storeImage } from './stored.ts';

const organisation = 'acme';
let place: RealTable;
beforeAll(async () => {
  place = await startRealTable();
});
afterAll(() => place?.stop());

const time = '2026-11-21T12:00:00.000Z';
const asking = { organisation, email: 'ada@acme.example', now: new Date(time) };
const digest = `sha256:${'a'.repeat(64)}`;

async function image(more: Partial<ImageRecord> = {}): Promise<ImageRecord> {
  const id = newId('image', Date.now());
  const record = imageRecord({ id, registryId: 'reg_private', digest, createdAt: time, ...more });
  return storeImage(place.table, organisation, record);
}
const experiment = async (status: string, fields: object) => {
  const id = newId('experiment', Date.now());
  await place.table.put(organisation, 'experiments', id, {
    id,
    status,
    statusKey: columnKey(status, id),
    ...fields,
  });
  return id;
};
/** A registry that has the tag, and counts how often it is taken away. */
function purging() {
  const purged: string[] = [];
  const needs = {
    table: place.table,
    registries: { get: async () => ({ registry: { visibility: 'private', title: 'Own' } }) },
    access: { clientFor: async () => ({ headManifest: async () => ({ digest }) }) },
    repositories: { removeTag: async (repository: string) => void purged.push(repository) },
    ecrRegistry: 'r.example',
  } as unknown as Parameters<typeof purgeTag>[0];
  return { purged, purge: (one: ImageRecord) => purgeTag(needs, organisation, one) };
}
const remove = (id: string, purge: (one: ImageRecord) => Promise<void>, ifMatch?: string) =>
  removeImage(place.table, asking, id, ifMatch, purge);

describe('I4 an image that experiments under way need', () => {
  it('stays, however many other experiments there are', async () => {
    const { id } = await image();
    const { purged, purge } = purging();
    // Together more than the 1 MB that DynamoDB answers at once.
    const env = { DATA: 'x'.repeat(16_000) };
    for (let i = 0; i < 80; i++) await experiment('running', { env, image: { digest: 'sha256:b' } });
    const user = await experiment('running', { image: { digest } });
    await expect(remove(id, purge)).rejects.toMatchObject({
      code: 'image-in-use',
      extra: { candidates: [user] },
    });
    expect(purged).toEqual([]);
    await place.table.remove(organisation, 'experiments', user);
    await remove(id, purge);
    expect(purged).toHaveLength(1);
  });

  it('stays for one that has yet to look it up', async () => {
    const { id, uri, repository } = await image();
    const { purge } = purging();
    for (const requested of [uri, id, `${repository}:1`]) {
      const user = await experiment('pending', { image: { requested } });
      await expect(remove(id, purge)).rejects.toMatchObject({ code: 'image-in-use' });
      await place.table.remove(organisation, 'experiments', user);
    }
    await remove(id, purge);
  });
});

describe('I4 an image that is waited for', () => {
  const put = (collection: 'builds' | 'build-requests', id: string, item: object) =>
    place.table.put(organisation, collection, id, { id, ...item });
  const build = async (status: string, fields: object, request: object = { bases: {} }) => {
    const id = newId('build', Date.now());
    await put('build-requests', id, request);
    await put('builds', id, { kind: 'build', status, statusKey: columnKey(status, id), ...fields });
    return id;
  };
  /** The image stays for as long as `user` is there. */
  const staysFor = async (id: string, collection: 'builds' | 'experiments', user: string) => {
    const { purged, purge } = purging();
    await expect(remove(id, purge)).rejects.toMatchObject({
      code: 'image-in-use',
      extra: { candidates: [user] },
    });
    expect(purged).toEqual([]);
    await place.table.remove(organisation, collection, user);
    await remove(id, purge);
    expect(purged).toHaveLength(1);
  };

  it('stays for an experiment that has not heard yet of the end of its build', async () => {
    const { id } = await image();
    const ended = { id: await build('succeeded', { imageId: id, digest }), imageId: id };
    const user = await experiment('pending', { image: {}, build: ended });
    const other = await experiment('pending', { image: {}, build: { imageId: 'img_2' } });
    await staysFor(id, 'experiments', user);
    await place.table.remove(organisation, 'experiments', other);
  });

  it('stays for a build on it that waits for another base too, or was told its digest', async () => {
    const others = await build(
      'building',
      { imageId: 'img_other' },
      { bases: { 'r.example/x': 'sha256:b' } },
    );
    for (const status of ['queued', 'building', 'pushing']) {
      const { id, uri } = await image();
      const bases = { [uri]: digest };
      await staysFor(id, 'builds', await build(status, { imageId: 'img_other' }, { bases }));
    }
    const { id } = await image();
    const base = await build('succeeded', { imageId: id, digest });
    const waiting = { imageId: 'img_other', awaitsBases: true, waitsFor: [others, base] };
    await staysFor(id, 'builds', await build('queued', waiting));
  });

  it('stays for what takes it over: an identical build of another tag, a mirror', async () => {
    const first = await image();
    const attachedTo = await build('succeeded', { imageId: first.id, digest });
    await staysFor(first.id, 'builds', await build('queued', { imageId: 'img_other', attachedTo }));
    const { id } = await image();
    const mirror = { kind: 'mirror', imageId: 'img_other', sourceImageId: id };
    await staysFor(id, 'builds', await build('building', mirror, { kind: 'mirror' }));
  });

  it('goes where only its own check, or what is over, was about it', async () => {
    const { id, uri } = await image();
    const { purged, purge } = purging();
    await build('building', { kind: 'validation', imageId: id }, { kind: 'validation' });
    await build('succeeded', { imageId: 'img_other' }, { bases: { [uri]: digest } });
    await remove(id, purge);
    expect(purged).toHaveLength(1);
  });
});

describe('I4 a tag that this image did not make', () => {
  it.each([
    [
      'another digest than the image has',
      { digest: `sha256:${'b'.repeat(64)}` },
      'but the digest of this image is sha256:bbb',
    ],
    [
      'any digest, where no build of the image has succeeded',
      { digest: undefined, status: 'failed' },
      'no build of this image has succeeded',
    ],
  ] as const)('stays: %s', async (_, more, why) => {
    const { id } = await image(more);
    const { purged, purge } = purging();
    await expect(remove(id, purge)).rejects.toMatchObject({
      status: 409,
      code: 'tag-moved',
      message: expect.stringContaining(why),
    });
    expect(purged).toEqual([]);
    await removeImage(place.table, asking, id, undefined);
    await expect(requireImage(place.table, organisation, id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('I4 between purge and deletion', () => {
  it('nobody changes or builds the image', async () => {
    const { id } = await image();
    let seen: unknown;
    await remove(id, async () => {
      const change = updateImage(place.table, asking, id, { readme: 'x' }, undefined);
      await expect(change).rejects.toMatchObject({ status: 409, code: 'image-leaving' });
      const current = await requireImage(place.table, organisation, id);
      seen = current.deleting;
      expect(() => requireStaying(current)).toThrow('is being deleted');
    });
    expect(seen).toBe(true);
    await expect(requireImage(place.table, organisation, id)).rejects.toMatchObject({ status: 404 });
  });

  it('a refusal leaves the image as it was', async () => {
    const { id } = await image();
    const refuse = async () => {
      throw conflict('tag-moved', 'Somebody else pushed it.');
    };
    await expect(remove(id, refuse, '1')).rejects.toMatchObject({ code: 'tag-moved' });
    expect(await updateImage(place.table, asking, id, { logo: 'r' }, undefined)).not.toHaveProperty(
      'deleting',
    );
  });

  it('somebody else writes, such as the end of a check: it is not purged twice', async () => {
    const { id } = await image();
    let purges = 0;
    await remove(id, async (marked) => {
      if (++purges > 1) throw conflict('tag-moved', 'The tag is gone.');
      const item = imageItem(place.table, organisation, { ...marked, version: marked.version + 1 });
      await place.table.put(organisation, 'images', id, item);
    });
    expect(purges).toBe(1);
    await expect(requireImage(place.table, organisation, id)).rejects.toMatchObject({ status: 404 });
  });

  it('a refusal takes its own mark off, though others are at work on the record', async () => {
    const { id } = await image();
    let transactions = 0;
    const busy: Table = {
      ...place.table,
      transact: async (writes, token) => {
        // The first sets the mark, the second takes it off.
        if (++transactions === 2) throw new ConditionFailedError(undefined);
        await place.table.transact(writes, token);
      },
    };
    const refuse = () => Promise.reject(conflict('tag-moved', 'Somebody else pushed it.'));
    await expect(removeImage(busy, asking, id, '1', refuse)).rejects.toMatchObject({ code: 'tag-moved' });
    expect(await requireImage(place.table, organisation, id)).not.toHaveProperty('deleting');
  });

  it('one that died is finished by the next, with or without a purge', async () => {
    const dies = () => Promise.reject(new Error('killed'));
    for (const next of [purging().purge, undefined]) {
      const { id } = await image();
      await expect(remove(id, dies, '1')).rejects.toThrow('killed');
      await expect(updateImage(place.table, asking, id, { logo: 'r' }, undefined)).rejects.toMatchObject({
        code: 'image-leaving',
      });
      await removeImage(place.table, asking, id, '1', next);
      await expect(requireImage(place.table, organisation, id)).rejects.toMatchObject({ status: 404 });
    }
  });
});

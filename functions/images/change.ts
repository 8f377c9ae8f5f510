import type { Asking } from '../../shared/http/asking.ts';
import { conflict, ProblemError } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import { requireImage, requireStaying } from '../../shared/images/find.ts';
import { logoRemoval } from '../../shared/images/logo.ts';
import { readmeWrite } from '../../shared/images/readme.ts';
import { type ImageRecord, imageItem, nameKey } from '../../shared/images/record.ts';
import type { ImageChange } from '../../shared/model/image.ts';
import { isUploaded } from '../../shared/model/logo.ts';
import { putWrite } from '../../shared/store/advance.ts';
import { pauseAfter } from '../../shared/store/contention.ts';
import { countImage } from '../../shared/store/registry-images.ts';
import { ConditionFailedError, type Table, versionIs, type Write } from '../../shared/store/table.ts';

const attempts = 10;

/** I3: readme and logo. Throws 404, and 412 where the image isn't the version that `ifMatch` names. */
export async function updateImage(
  table: Table,
  asking: Asking,
  id: string,
  { readme, logo }: ImageChange,
  ifMatch: string | undefined,
): Promise<ImageRecord> {
  return changeImage(table, asking, id, ifMatch, (current) => ({
    set: {
      ...(logo == null ? {} : { logo }),
      ...(readme == null ? {} : { hasReadme: readme !== '' }),
    },
    also: [
      ...(readme == null ? [] : [readmeWrite(table, asking.organisation, id, readme)]),
      // The name takes the place of an uploaded picture.
      ...(logo != null && isUploaded(current.logo) ? [logoRemoval(table, asking.organisation, id)] : []),
    ],
  }));
}

/** Changes the record, and with it what lies beside it, all or none. Throws 404, and 412. */
export async function changeImage(
  table: Table,
  { organisation, now }: Asking,
  id: string,
  ifMatch: string | undefined,
  decide: (current: ImageRecord) => { set: Partial<ImageRecord>; also: Write[] },
): Promise<ImageRecord> {
  return withVersion(table, organisation, id, ifMatch, async (current) => {
    requireStaying(current);
    const { set, also } = decide(current);
    const next = { ...current, ...set, version: current.version + 1, updatedAt: now.toISOString() };
    await table.transact([
      putWrite(table, imageItem(table, organisation, next), versionIs(current.version)),
      ...also,
    ]);
    return next;
  });
}

/** Throws 404, 409 `build-in-progress` and 412. Builds of it stay readable by their ids. */
export async function removeImage(
  table: Table,
  { organisation }: Asking,
  id: string,
  ifMatch: string | undefined,
  /** Done first, once, on a record that is marked: what a crash leaves can only be deleted again. */
  purge?: (image: ImageRecord) => Promise<void>,
): Promise<void> {
  // Of this request, however often it begins again because somebody else has changed the record in between.
  let [hasMarked, hasPurged] = [false, false];
  await withVersion(table, organisation, id, ifMatch, async (found) => {
    let current = found;
    if (current.activeBuildId)
      throw conflict(
        'build-in-progress',
        `The image is being built. Stop build ${current.activeBuildId} first.`,
        [current.activeBuildId],
      );
    if (purge && !hasPurged) {
      if (!current.deleting) {
        current = await mark(table, organisation, current);
        hasMarked = true;
      }
      try {
        await purge(current);
      } catch (error) {
        // A mark that another request has set is that request's to take off.
        if (error instanceof ProblemError && hasMarked)
          await table.transact([unmark(table, organisation, id)]);
        throw error;
      }
      hasPurged = true;
    }
    const remove = (collection: 'images' | 'image-names' | 'readmes', sk: string): Write => ({
      Delete: { TableName: table.name, Key: table.key(organisation, collection, sk) },
    });
    await table.transact([
      {
        Delete: {
          TableName: table.name,
          Key: table.key(organisation, 'images', id),
          ConditionExpression: '#version = :expected',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':expected': current.version },
        },
      },
      ...countImage(table, organisation, current.registryId, -1),
      remove('image-names', nameKey(current)),
      remove('readmes', id),
      logoRemoval(table, organisation, id),
    ]);
    return current;
  });
}

async function mark(table: Table, organisation: string, image: ImageRecord): Promise<ImageRecord> {
  const marked: ImageRecord = { ...image, deleting: true, version: image.version + 1 };
  await table.transact([putWrite(table, imageItem(table, organisation, marked), versionIs(image.version))]);
  return marked;
}

const unmark = (table: Table, organisation: string, id: string): Write => ({
  Update: {
    TableName: table.name,
    Key: table.key(organisation, 'images', id),
    UpdateExpression: 'REMOVE deleting ADD #version :one',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':one': 1 },
  },
});

/** Without `ifMatch`, a change that came in between is no obstacle. */
async function withVersion(
  table: Table,
  organisation: string,
  id: string,
  ifMatch: string | undefined,
  write: (current: ImageRecord) => Promise<ImageRecord>,
): Promise<ImageRecord> {
  for (let attempt = 1; ; attempt++) {
    const current = await requireImage(table, organisation, id);
    // Its own mark counts as no change.
    if (!current.deleting) requireMatch({ ...(ifMatch === undefined ? {} : { ifMatch }) }, current.version);
    try {
      return await write(current);
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      if (attempt >= attempts)
        throw new ProblemError(409, 'busy', 'Other requests kept changing the image. Try again.');
      await pauseAfter(attempt);
    }
  }
}

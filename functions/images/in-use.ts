/** I4: what is under way and would miss an image's tag or manifest. */
import { type BuildRecord, isOver } from '../../shared/build/record.ts';
import { readRequest } from '../../shared/build/request.ts';
import { type ExperimentRecord, waitsForBuild } from '../../shared/experiment/record.ts';
import { conflict } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { buildStatuses } from '../../shared/model/states.ts';
import { columnPrefix, type Item, type Table } from '../../shared/store/table.ts';

/** Requests of builds are read along with them, and may be large. */
const readAtOnce = 50;

/** Throws 409 `image-in-use` with the ids of who needs the image, which its tag names as `digest`. */
export async function requireUnused(
  table: Table,
  organisation: string,
  image: ImageRecord,
  digest: string,
): Promise<void> {
  for (const status of ['pending', 'provisioning', 'running'])
    await refuse(table, organisation, 'experiments', status, async (one) =>
      experimentNeeds(one as ExperimentRecord, image, digest),
    );
  for (const status of buildStatuses.filter((one) => !isOver({ status: one })))
    await refuse(table, organisation, 'builds', status, (one) =>
      buildNeeds(table, organisation, one as BuildRecord, image, digest),
    );
}

/**
 * An experiment that is under way pulls its image by digest; one that has yet to look its image up, by its name. One
 * that waits for a build will run in what that pushed, and may not have heard of its end.
 */
function experimentNeeds(
  record: ExperimentRecord,
  { id, uri, repository, tag }: ImageRecord,
  digest: string,
): boolean {
  if (waitsForBuild(record)) return record.build?.imageId === id;
  const names = [id, uri, `${repository}:${tag}`];
  const { image } = record;
  return image.digest === undefined ? names.includes(image.requested ?? '') : image.digest === digest;
}

/** The image's own builds are no reason here: no image is deleted while it is built. */
async function buildNeeds(
  table: Table,
  organisation: string,
  { id, kind, sourceImageId, attachedTo, awaitsBases, waitsFor = [] }: BuildRecord,
  image: ImageRecord,
  digest: string,
): Promise<boolean> {
  if (kind === 'mirror') return sourceImageId === image.id;
  if (kind !== 'build') return false;
  // What those pushed is taken over, or built on, once all of them are over.
  const awaited = [...(attachedTo === undefined ? [] : [attachedTo]), ...(awaitsBases ? waitsFor : [])];
  for (const other of awaited)
    if ((await table.get(organisation, 'builds', other))?.imageId === image.id) return true;
  const request = await readRequest(table, organisation, id);
  return Object.values(request?.bases ?? {}).includes(digest);
}

async function refuse(
  table: Table,
  organisation: string,
  collection: 'experiments' | 'builds',
  status: string,
  needs: (item: Item) => Promise<boolean>,
): Promise<void> {
  let start: Item | undefined;
  do {
    const { items, last } = await table.query({
      organisation,
      collection,
      index: 'byStatus',
      prefix: columnPrefix(status),
      limit: readAtOnce,
      ...(start ? { start } : {}),
    });
    const users: string[] = [];
    await Promise.all(
      items.map(async (item) => {
        if (await needs(item)) users.push(String(item.id));
      }),
    );
    users.sort();
    if (users.length > 0)
      throw conflict(
        'image-in-use',
        `${collection === 'builds' ? 'Builds' : 'Experiments'} in progress use this image: ${users.join(', ')}.`,
        users,
      );
    start = last;
  } while (start);
}

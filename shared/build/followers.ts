/**
 * Who waits for the end of a build: identical builds (B8), experiments that run in its image (B12), builds on its
 * image (B14). Each is an item below the build's id, written with the follower or not at all.
 */
import type { Log } from '../observability/log.ts';
import type { Table, Write } from '../store/table.ts';

const collection = 'build-followers';

export const followWrite = (
  table: Table,
  organisation: string,
  buildId: string,
  followerId: string,
): Write => ({
  Put: {
    TableName: table.name,
    Item: { ...table.key(organisation, collection, `${buildId}#${followerId}`), followerId },
  },
});

/** Ids of builds and experiments. */
export async function followersOf(table: Table, organisation: string, buildId: string): Promise<string[]> {
  const items = await table.all(organisation, collection, `${buildId}#`);
  return items.map(({ followerId }) => String(followerId));
}

/** One that can't be dealt with holds up no other: each is open work, so the reconciler comes to it by itself. */
export async function eachFollower(
  { table, log }: { table: Table; log: Pick<Log, 'error'> },
  organisation: string,
  buildId: string,
  deal: (followerId: string) => Promise<void>,
): Promise<void> {
  for (const id of await followersOf(table, organisation, buildId)) {
    try {
      await deal(id);
    } catch (error) {
      log.error('who waits for a build could not be moved on', { organisation, buildId, id, error });
    }
  }
}

/**
 * Who waits for the end of a build: identical builds (B8), experiments that run in its image (B12), builds on its
 * image (B14). Each is an item below the build's id, written with the follower or not at all.
 */
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

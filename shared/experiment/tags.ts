/**
 * Tags of experiments. An experiment has many and an item one place in an index, so each tag is an item of its own,
 * written with the experiment or not at all: a page of a tag costs the page, however many experiments there are.
 */
import { columnKey, type Table, type Write } from '../store/table.ts';

export const tagCollection = 'experiment-tags';

/** What makes the tags of an experiment `after` when they were `before`. */
export function tagWrites(
  table: Table,
  organisation: string,
  experimentId: string,
  before: readonly string[],
  after: readonly string[],
): Write[] {
  const key = (tag: string) => table.key(organisation, tagCollection, columnKey(tag, experimentId));
  return [
    ...after
      .filter((tag) => !before.includes(tag))
      .map((tag) => ({ Put: { TableName: table.name, Item: { ...key(tag), tag, experimentId } } })),
    ...before
      .filter((tag) => !after.includes(tag))
      .map((tag) => ({ Delete: { TableName: table.name, Key: key(tag) } })),
  ];
}

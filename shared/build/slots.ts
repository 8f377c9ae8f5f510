/**
 * How many builds of an organisation a compute takes at once, exactly: the ids of those that run on it are one set,
 * which changes in the same transaction as the builds do.
 */
import type { BuildCompute } from '../model/stage.ts';
import type { Table, Write } from '../store/table.ts';

/** Ids of the builds that hold a place on the compute. */
export async function holdersOf(table: Table, organisation: string, compute: string): Promise<Set<string>> {
  const item = await table.get(organisation, 'compute-slots', compute);
  return (item?.holders as Set<string> | undefined) ?? new Set();
}

/** Takes a place; refused where none is left. */
export const takeSlot = (
  table: Table,
  organisation: string,
  { name, maxConcurrent }: BuildCompute,
  buildId: string,
): Write => ({
  Update: {
    TableName: table.name,
    Key: table.key(organisation, 'compute-slots', name),
    UpdateExpression: 'ADD holders :one',
    ConditionExpression: 'attribute_not_exists(holders) OR contains(holders, :id) OR size(holders) < :max',
    ExpressionAttributeValues: { ':one': new Set([buildId]), ':id': buildId, ':max': maxConcurrent },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

export const releaseSlot = (table: Table, organisation: string, compute: string, buildId: string): Write => ({
  Update: {
    TableName: table.name,
    Key: table.key(organisation, 'compute-slots', compute),
    UpdateExpression: 'DELETE holders :one',
    ExpressionAttributeValues: { ':one': new Set([buildId]) },
  },
});

/** The first compute below its limit; the first of all, without a place, where there is none. */
export async function chooseCompute(
  table: Table,
  organisation: string,
  computes: BuildCompute[],
): Promise<{ compute: BuildCompute; hasRoom: boolean }> {
  const [first] = computes;
  if (!first) throw new Error('no compute to choose from');
  for (const compute of computes)
    if ((await holdersOf(table, organisation, compute.name)).size < compute.maxConcurrent)
      return { compute, hasRoom: true };
  return { compute: first, hasRoom: false };
}

/**
 * How many images refer to each connected registry, exactly: the number changes in the transaction that writes or
 * removes the image. The index by registry lags behind, so it never proves that there is none (R3).
 */
import { defaultRegistryIds } from '../registry/defaults.ts';
import type { Table, Write } from './table.ts';

/** Nothing for images of default registries, which can't be removed, and for those whose registry was never connected. */
export function countImage(
  table: Table,
  organisation: string,
  registryId: string | undefined,
  change: 1 | -1,
): Write[] {
  if (registryId === undefined || Object.values<string>(defaultRegistryIds).includes(registryId)) return [];
  return [
    {
      Update: {
        TableName: table.name,
        Key: table.key(organisation, 'registry-images', registryId),
        UpdateExpression: 'ADD images :change',
        ExpressionAttributeValues: { ':change': change },
      },
    },
  ];
}

/** Has a transaction refused while images refer to the registry; what refuses it has their number as `images`. */
export const withoutImages = (table: Table, organisation: string, registryId: string): Write => ({
  ConditionCheck: {
    TableName: table.name,
    Key: table.key(organisation, 'registry-images', registryId),
    ConditionExpression: 'attribute_not_exists(pk) OR images = :none',
    ExpressionAttributeValues: { ':none': 0 },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

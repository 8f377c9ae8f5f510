/** R3: an image is written only while the registry that it names is connected. */
import { conflict } from '../../shared/http/problem.ts';
import type { Write } from '../../shared/store/table.ts';
import type { ImagesDependencies } from './dependencies.ts';

/**
 * Has a transaction refused where the registry was disconnected since; nothing for the defaults, which can't be.
 * Throws 409 `registry-not-connected`.
 */
export async function whileConnected(
  { table, registries }: Pick<ImagesDependencies, 'table' | 'registries'>,
  organisation: string,
  registryId: string,
): Promise<Write[]> {
  const known = await registries.get(organisation, registryId);
  if (!known) throw notConnected(`The registry ${registryId}`);
  if (known.registry.isDefault) return [];
  return [
    {
      ConditionCheck: {
        TableName: table.name,
        Key: table.key(organisation, 'registries', registryId),
        ConditionExpression: 'attribute_exists(pk)',
      },
    },
  ];
}

export const notConnected = (registry: string) =>
  conflict('registry-not-connected', `${registry} is not connected: nothing can be pushed to it.`);

import { secretNameOf } from '../../shared/aws/secrets.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { conflict } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import { getSettings, putSettings } from '../../shared/store/settings.ts';
import { ConditionFailedError, columnPrefix, versionIs } from '../../shared/store/table.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { requireIdle } from './record-change.ts';
import { storedRegistry } from './update.ts';

/**
 * R3: disconnects a registry. Throws 404, 412, and 409 for a default registry, one that images refer to or that is the
 * organisation's default; `force` takes the last two.
 */
export async function removeRegistry(
  dependencies: RegistriesDependencies,
  { organisation, now }: Asking,
  id: string,
  { force, ifMatch }: { force: boolean; ifMatch: string | undefined },
): Promise<void> {
  const { table, secrets, stage } = dependencies;
  const record = await storedRegistry(dependencies, organisation, id);
  requireMatch({ ifMatch }, record.version);
  requireIdle(record, now);
  const images = await table.query({
    organisation,
    collection: 'images',
    index: 'byRegistry',
    prefix: columnPrefix(id),
    limit: 1,
  });
  if (images.items.length > 0 && !force)
    throw conflict(
      'registry-in-use',
      'Images refer to this registry: delete them first, or use ?force=true.',
    );
  const settings = await getSettings(table, organisation);
  if (settings.settings.defaultRegistryId === id) {
    if (!force)
      throw conflict(
        'registry-in-use',
        "This is the organisation's default registry: choose another, or use ?force=true.",
      );
    const { defaultRegistryId: _, ...others } = settings.settings;
    await putSettings(table, organisation, others, settings.version);
  }
  // The secret goes first: what a crash leaves is a record that can be deleted again, never a secret without one.
  await secrets.remove(secretNameOf(stage.stage, organisation, 'registries', id));
  try {
    await table.remove(organisation, 'registries', id, versionIs(record.version));
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    // Gone already is what was asked for; anything else was changed meanwhile.
    if (error.existing)
      throw conflict('registry-busy', 'The registry was changed by another request: try again.');
  }
}

import { secretNameOf } from '../../shared/aws/secrets.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { conflict } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { RegistryRecord } from '../../shared/store/registries.ts';
import { withoutImages } from '../../shared/store/registry-images.ts';
import { getSettings, settingsUnchanged, settingsWrite } from '../../shared/store/settings.ts';
import { ConditionFailedError, versionIs, type Write } from '../../shared/store/table.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { replaceRecord, requireIdle } from './record-change.ts';
import { storedRegistry } from './update.ts';

interface Removal {
  force: boolean;
  ifMatch: string | undefined;
}

/**
 * R3: disconnects a registry. First it is marked, which is refused while images or the settings refer to it, and lets no
 * more of them come; then its secret goes, then its record. What a crash leaves is a record that can be deleted again,
 * never a secret without one, nor an image without its registry.
 * Throws 404, 412, and 409 for a default registry, one that images refer to or that is the organisation's default;
 * `force` takes the last two.
 */
export async function removeRegistry(
  dependencies: RegistriesDependencies,
  { organisation, now }: Asking,
  id: string,
  { force, ifMatch }: Removal,
): Promise<void> {
  const { table, secrets, stage } = dependencies;
  const record = await storedRegistry(dependencies, organisation, id);
  requireMatch({ ifMatch }, record.version);
  requireIdle(record, now);
  const { version } = record.removing ? record : await mark(dependencies, organisation, record, force);
  await secrets.remove(secretNameOf(stage.stage, organisation, 'registries', id));
  try {
    await table.remove(organisation, 'registries', id, versionIs(version));
  } catch (error) {
    // Somebody else who was asked the same has finished it.
    if (!(error instanceof ConditionFailedError) || error.existing) throw error;
  }
}

async function mark(
  dependencies: Pick<RegistriesDependencies, 'table'>,
  organisation: string,
  { changing: _, ...record }: RegistryRecord,
  force: boolean,
): Promise<{ version: number }> {
  const { table } = dependencies;
  const next = { ...record, removing: true, version: record.version + 1 } as RegistryRecord;
  const others = [
    ...(force ? [] : [withoutImages(table, organisation, record.id)]),
    await withoutDefault(dependencies, organisation, record.id, force),
  ];
  await replaceRecord(
    dependencies,
    next,
    record.version,
    others,
    'delete the images first, or add ?force=true.',
  );
  return next;
}

/** The settings name no registry that goes: they are as they were read, or written anew. */
async function withoutDefault(
  { table }: Pick<RegistriesDependencies, 'table'>,
  organisation: string,
  id: string,
  force: boolean,
): Promise<Write> {
  const { settings, version } = await getSettings(table, organisation);
  if (settings.defaultRegistryId !== id) return settingsUnchanged(table, organisation, version);
  if (!force)
    throw conflict(
      'registry-in-use',
      "This is the organisation's default registry. Choose another default first, or add ?force=true.",
    );
  const { defaultRegistryId: _, ...others } = settings;
  return settingsWrite(table, organisation, others, version);
}

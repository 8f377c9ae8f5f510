import { invalid } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { Settings } from '../../shared/model/organisation.ts';
import { defaultRegistryIds } from '../../shared/registry/defaults.ts';
import { InvalidReferenceError, parseReference } from '../../shared/registry/reference.ts';
import { getRegistryRecord } from '../../shared/store/registries.ts';
import { getSettings, putSettings } from '../../shared/store/settings.ts';
import type { Table } from '../../shared/store/table.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

/** O1: replaces the settings. Throws 412, and 422 for a registry that isn't there or an image that is no name. */
export async function replaceSettings(
  { table }: Pick<OrganisationDependencies, 'table'>,
  { caller: { organisation }, ifMatch }: Asking,
  settings: Settings,
): Promise<{ settings: Settings; version: number }> {
  const { version } = await getSettings(table, organisation);
  requireMatch({ ifMatch }, version);
  const { defaultRegistryId, defaultImage } = settings;
  if (defaultRegistryId && !(await registryExists(table, organisation, defaultRegistryId)))
    throw invalid({ pointer: '/defaultRegistryId', message: 'there is no such registry' });
  if (defaultImage) requireImageName(defaultImage);
  await putSettings(table, organisation, settings, version);
  return { settings, version: version + 1 };
}

async function registryExists(table: Table, organisation: string, id: string): Promise<boolean> {
  const isDefault = Object.values<string>(defaultRegistryIds).includes(id);
  return isDefault || (await getRegistryRecord(table, organisation, id)) !== undefined;
}

/** Image ids are fine, too: they resolve first. */
function requireImageName(text: string): void {
  try {
    parseReference(text);
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    throw invalid({ pointer: '/defaultImage', message: error.message });
  }
}

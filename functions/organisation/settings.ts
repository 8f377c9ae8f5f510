import { invalid, ProblemError } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { Settings } from '../../shared/model/organisation.ts';
import { defaultRegistryIds } from '../../shared/registry/defaults.ts';
import { InvalidReferenceError, parseReference } from '../../shared/registry/reference.ts';
import { pauseAfter } from '../../shared/store/contention.ts';
import { getRegistryRecord, stillConnected } from '../../shared/store/registries.ts';
import { getSettings, settingsWrite } from '../../shared/store/settings.ts';
import { ConditionFailedError, type Table, type Write } from '../../shared/store/table.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

const attempts = 5;

/** O1: replaces the settings. Throws 412, and 422 for a registry that isn't there or an image that is no name. */
export async function replaceSettings(
  { table }: Pick<OrganisationDependencies, 'table'>,
  { caller: { organisation }, ifMatch }: Asking,
  settings: Settings,
): Promise<{ settings: Settings; version: number }> {
  if (settings.defaultImage) requireImageName(settings.defaultImage);
  for (let attempt = 1; ; attempt++) {
    const { version } = await getSettings(table, organisation);
    requireMatch({ ifMatch }, version);
    const registry = await whileThere(table, organisation, settings.defaultRegistryId);
    try {
      await table.transact([settingsWrite(table, organisation, settings, version), ...registry]);
      return { settings, version: version + 1 };
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      // The next attempt sees what changed.
      if (attempt >= attempts)
        throw new ProblemError(412, 'stale', 'The settings have changed since you read them.');
      await pauseAfter(attempt);
    }
  }
}

/** Has a transaction refused where the registry goes meanwhile. Throws 422 where it isn't there. */
async function whileThere(table: Table, organisation: string, id: string | undefined): Promise<Write[]> {
  if (id === undefined || Object.values<string>(defaultRegistryIds).includes(id)) return [];
  const record = await getRegistryRecord(table, organisation, id);
  if (!record || record.removing)
    throw invalid({ pointer: '/defaultRegistryId', message: 'names a registry that does not exist' });
  return [stillConnected(table, organisation, id)];
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

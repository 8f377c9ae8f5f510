import { type FieldError, invalid, ProblemError } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import { keptSettingsSchema, type Settings, type SettingsChange } from '../../shared/model/organisation.ts';
import { defaultRegistryIds } from '../../shared/registry/defaults.ts';
import { InvalidReferenceError, parseReference } from '../../shared/registry/reference.ts';
import { pauseAfter } from '../../shared/store/contention.ts';
import { getRegistryRecord, stillConnected } from '../../shared/store/registries.ts';
import { getSettings, settingsWrite } from '../../shared/store/settings.ts';
import { ConditionFailedError, type Table, type Write } from '../../shared/store/table.ts';
import { requireDefaultImage } from './default-image.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

type Dependencies = Pick<OrganisationDependencies, 'table' | 'registries' | 'access'>;

const attempts = 5;

/** O1: replaces the settings. Throws 412, and 422 for a registry or an image that isn't there. */
export const replaceSettings = (dependencies: Dependencies, asking: Asking, settings: Settings) =>
  writeSettings(dependencies, asking, settings, () => settings);

/** O1: changes what `change` names; null returns to the default. Throws as `replaceSettings`. */
export const changeSettings = (dependencies: Dependencies, asking: Asking, change: SettingsChange) =>
  writeSettings(dependencies, asking, change, (current) =>
    keptSettingsSchema.parse({
      ...merged(current, change),
      notifications:
        change.notifications === null ? {} : merged(current.notifications, change.notifications ?? {}),
    }),
  );

/** `current` with the fields of `change`, and without those that are null in it. */
const merged = (current: object, change: object): object =>
  Object.fromEntries(Object.entries({ ...current, ...change }).filter(([, value]) => value !== null));

/** `asked` is what the request names: only that can be wrong. */
async function writeSettings(
  dependencies: Dependencies,
  { caller: { organisation }, ifMatch }: Asking,
  asked: SettingsChange,
  next: (current: Settings) => Settings,
): Promise<{ settings: Settings; version: number }> {
  const { table } = dependencies;
  for (let attempt = 1; ; attempt++) {
    const { settings: current, version } = await getSettings(table, organisation);
    requireMatch({ ifMatch }, version);
    await requireKnown(table, organisation, asked);
    const settings = next(current);
    // One that was kept may have gone since: what else changes of the settings has nothing to do with that.
    if (attempt === 1 && settings.defaultImage !== current.defaultImage)
      await requireDefaultImage(dependencies, organisation, settings);
    const registry = whileThere(table, organisation, asked.defaultRegistryId);
    try {
      await table.transact([settingsWrite(table, organisation, settings, version), ...registry]);
      return { settings, version: version + 1 };
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      // The next attempt sees what changed.
      if (attempt >= attempts)
        throw new ProblemError(
          412,
          'stale',
          'The settings have changed since you read them. Read them again.',
        );
      await pauseAfter(attempt);
    }
  }
}

const isDefault = (id: string): boolean => Object.values<string>(defaultRegistryIds).includes(id);

/** Has a transaction refused where the registry goes meanwhile. */
const whileThere = (table: Table, organisation: string, id: string | null | undefined): Write[] =>
  id && !isDefault(id) ? [stillConnected(table, organisation, id)] : [];

/** Throws 422 with everything that the settings name and that isn't there. */
async function requireKnown(
  table: Table,
  organisation: string,
  { defaultRegistryId: id, defaultImage }: SettingsChange,
): Promise<void> {
  const errors: FieldError[] = [];
  const record = id && !isDefault(id) ? await getRegistryRecord(table, organisation, id) : undefined;
  if (id && !isDefault(id) && (!record || record.removing))
    errors.push({ pointer: '/defaultRegistryId', message: 'names a registry that does not exist' });
  if (defaultImage) errors.push(...faultsOfName(defaultImage));
  if (errors.length > 0) throw invalid(...errors);
}

/** Image ids are fine, too: they resolve first. */
function faultsOfName(text: string): FieldError[] {
  try {
    parseReference(text);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    return [{ pointer: '/defaultImage', message: error.message }];
  }
}

/** The organisation's settings: one item, with defaults while nobody has written it. */
import { keptSettingsSchema, type Settings } from '../model/organisation.ts';
import { putWrite } from './advance.ts';
import { absent, conditionInput, type Table, versionIs, type Write } from './table.ts';

const sk = 'settings';

/** Version 0 is that of the defaults. */
export async function getSettings(
  table: Table,
  organisation: string,
): Promise<{ settings: Settings; version: number }> {
  const item = await table.get(organisation, 'settings', sk);
  return {
    settings: keptSettingsSchema.parse(item?.settings ?? {}),
    version: Number(item?.version ?? 0),
  };
}

const unchanged = (version: number) => (version === 0 ? absent : versionIs(version));

/** Replaces the settings that were read as `version`, as part of a transaction. */
export const settingsWrite = (
  table: Table,
  organisation: string,
  settings: Settings,
  version: number,
): Write =>
  putWrite(
    table,
    { ...table.key(organisation, 'settings', sk), settings, version: version + 1 },
    unchanged(version),
  );

/** Has a transaction refused where the settings changed since they were read as `version`. */
export const settingsUnchanged = (table: Table, organisation: string, version: number): Write => ({
  ConditionCheck: {
    TableName: table.name,
    Key: table.key(organisation, 'settings', sk),
    ...conditionInput(unchanged(version)),
  },
});

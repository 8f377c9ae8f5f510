/** The organisation's settings: one item, with defaults while nobody has written it. */
import { ProblemError } from '../http/problem.ts';
import { type Settings, settingsSchema } from '../model/organisation.ts';
import { absent, ConditionFailedError, type Table, versionIs } from './table.ts';

const sk = 'settings';

/** Version 0 is that of the defaults. */
export async function getSettings(
  table: Table,
  organisation: string,
): Promise<{ settings: Settings; version: number }> {
  const item = await table.get(organisation, 'settings', sk);
  return {
    settings: settingsSchema.parse(item?.settings ?? {}),
    version: Number(item?.version ?? 0),
  };
}

/** Replaces the settings that were read as `version`. Throws a 412 problem where they changed since. */
export async function putSettings(
  table: Table,
  organisation: string,
  settings: Settings,
  version: number,
): Promise<void> {
  try {
    await table.put(
      organisation,
      'settings',
      sk,
      { settings, version: version + 1 },
      version === 0 ? absent : versionIs(version),
    );
  } catch (error) {
    if (error instanceof ConditionFailedError)
      throw new ProblemError(412, 'stale', 'The settings have changed since they were read.');
    throw error;
  }
}

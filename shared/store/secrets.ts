/** Secrets by name: the table knows when and by whom, Secrets Manager alone knows what. */
import type { Secret } from '../model/organisation.ts';
import type { Item, Table } from './table.ts';

export interface SecretRecord extends Item {
  name: string;
  /** Full ARN of `{"value"}`; absent until the first value has arrived, and until then nobody sees the record. */
  arn?: string;
  /** Secrets Manager's name for the last value that has arrived: builds get exactly this one. */
  versionId?: string;
  createdAt: string;
  updatedAt: string;
  updatedBy: string;
  /** Grows with every new value, before that value has arrived. */
  version: number;
}

/** A secret that has a value. */
export type StoredSecret = SecretRecord & { arn: string; versionId: string };

export async function getSecret(
  table: Table,
  organisation: string,
  name: string,
): Promise<StoredSecret | undefined> {
  const record = (await table.get(organisation, 'secrets', name)) as SecretRecord | undefined;
  return record && hasValue(record) ? record : undefined;
}

export async function allSecrets(table: Table, organisation: string): Promise<StoredSecret[]> {
  return ((await table.all(organisation, 'secrets')) as SecretRecord[]).filter(hasValue);
}

const hasValue = (record: SecretRecord): record is StoredSecret =>
  record.arn !== undefined && record.versionId !== undefined;

export const toSecret = ({ name, createdAt, updatedAt, updatedBy }: SecretRecord): Secret => ({
  name,
  createdAt,
  updatedAt,
  updatedBy,
});

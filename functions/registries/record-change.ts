/**
 * Changes of a record that has a secret beside it. The record is marked first, then the secret written, then the mark
 * taken off: two changes at once can't leave one's username beside the other's password.
 */
import { randomUUID } from 'node:crypto';
import { secretNameOf } from '../../shared/aws/secrets.ts';
import { conflict, ProblemError } from '../../shared/http/problem.ts';
import { putWrite } from '../../shared/store/advance.ts';
import type { RegistryRecord } from '../../shared/store/registries.ts';
import { type Condition, ConditionFailedError, versionIs, type Write } from '../../shared/store/table.ts';
import type { RegistriesDependencies } from './dependencies.ts';

/** No request lives longer, so an older mark was left by one that died. */
const markSeconds = 31;

export const busy = () =>
  new ProblemError(
    409,
    'registry-busy',
    'Another request is changing the registry. Try again.',
    {},
    { 'retry-after': '1' },
  );

/** Throws a 409 problem while another request is at work on the registry. */
export function requireIdle({ changing }: RegistryRecord, now: Date): void {
  if (changing && Date.parse(changing.at) + markSeconds * 1000 > now.getTime()) throw busy();
}

/** Throws a 409 problem once a removal has begun, even one that died: it can only be finished. */
export function requireStaying({ removing }: RegistryRecord): void {
  if (removing)
    throw conflict(
      'registry-leaving',
      'The registry is being deleted. If it is still there in a minute, DELETE it again.',
    );
}

export const mark = (now: Date) => ({ by: randomUUID(), at: now.toISOString() });

const markedBy = (by: string): Condition => ({
  expression: '#changing.#by = :by',
  names: { '#changing': 'changing', '#by': 'by' },
  values: { ':by': by },
});

const listed = (images: number): string =>
  images === 1
    ? '1 image of this registry is still listed'
    : `${images} images of this registry are still listed`;

/**
 * Writes `next`, a record that was read, where it is still at `version`, together with what `others` write or want.
 * Throws 409 where it isn't, and `registry-in-use` with the way on where images were to be none.
 */
export async function replaceRecord(
  { table }: Pick<RegistriesDependencies, 'table'>,
  next: RegistryRecord,
  version: number,
  others: Write[],
  remedy: string,
): Promise<void> {
  try {
    await table.transact([putWrite(table, next, versionIs(version)), ...others]);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    if (error.existing === undefined || !('images' in error.existing)) throw busy();
    throw conflict('registry-in-use', `${listed(Number(error.existing.images))}: ${remedy}`);
  }
}

/** With `record` marked: writes the secret, then the record with the secret's ARN and without the mark. */
export async function finishWithSecret(
  { table, secrets, stage }: Pick<RegistriesDependencies, 'table' | 'secrets' | 'stage'>,
  organisation: string,
  record: RegistryRecord,
  credentials: { username: string; password: string },
): Promise<RegistryRecord> {
  const { changing, ...rest } = record;
  if (!changing) throw new Error('the record is not marked');
  const { arn: secretArn } = await secrets.write(
    secretNameOf(stage.stage, organisation, 'registries', record.id),
    JSON.stringify(credentials),
    { 'slipway:organisation': organisation },
  );
  const finished = { ...rest, username: credentials.username, secretArn } as RegistryRecord;
  try {
    await table.put(organisation, 'registries', record.id, finished, markedBy(changing.by));
  } catch (error) {
    if (error instanceof ConditionFailedError) throw busy();
    throw error;
  }
  return finished;
}

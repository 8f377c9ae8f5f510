/** B16, E13: secrets by name. Values go to Secrets Manager and come back to nobody. */
import type * as z from 'zod';
import { secretNameOf } from '../../shared/aws/secrets.ts';
import { conflict, notFound, ProblemError } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { Secret, secretListQuery } from '../../shared/model/organisation.ts';
import {
  allSecrets,
  getSecret,
  type SecretRecord,
  type StoredSecret,
  toSecret,
} from '../../shared/store/secrets.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import { absent, ConditionFailedError, versionIs } from '../../shared/store/table.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

type Dependencies = Pick<OrganisationDependencies, 'table' | 'secrets' | 'stage'>;

/** Secrets are few: lists read them whole. */
const mostPerOrganisation = 500;

export async function listSecrets(
  { table }: Pick<Dependencies, 'table'>,
  organisation: string,
  page: z.output<typeof secretListQuery>,
): Promise<{ items: Secret[]; nextCursor?: string }> {
  const all = (await allSecrets(table, organisation)).map(toSecret);
  return smallPage(all, {
    ...page,
    organisation,
    collection: 'secrets',
    filters: {},
    searched: [],
    idField: 'name',
  });
}

/** Throws a 404 problem. */
export async function requireSecret(
  { table }: Pick<Dependencies, 'table'>,
  organisation: string,
  name: string,
): Promise<StoredSecret> {
  const secret = await getSecret(table, organisation, name);
  if (!secret) throw notFound('secret');
  return secret;
}

/**
 * Creates a secret or gives it a new value. The record is written first: of two changes at once one is told, and a
 * secret always belongs to a record that can be deleted. Throws 409 above the limit, 412.
 */
export async function putSecret(
  { table, secrets, stage }: Dependencies,
  { caller, now, ifMatch }: Asking,
  name: string,
  value: string,
): Promise<{ record: SecretRecord; created: boolean }> {
  const { organisation, email } = caller;
  const time = now.toISOString();
  const current = (await table.get(organisation, 'secrets', name)) as SecretRecord | undefined;
  requireMatch({ ifMatch }, current?.arn ? current.version : undefined);
  if (!current && (await allSecrets(table, organisation)).length >= mostPerOrganisation)
    throw conflict('too-many-secrets', `An organisation can have at most ${mostPerOrganisation} secrets.`);
  const next: SecretRecord = {
    ...(current ?? { createdAt: time }),
    name,
    updatedAt: time,
    updatedBy: email,
    version: (current?.version ?? 0) + 1,
  } as SecretRecord;
  await orElse(
    () => table.put(organisation, 'secrets', name, next, current ? versionIs(current.version) : absent),
    changed,
  );
  // Until the value has arrived the record names the one before: a build that is accepted meanwhile gets that one.
  const written = await secrets.write(
    secretNameOf(stage.stage, organisation, 'secrets', name),
    JSON.stringify({ value }),
    { 'slipway:organisation': organisation },
  );
  const record = { ...next, ...written } as SecretRecord;
  await orElse(() => table.put(organisation, 'secrets', name, record, versionIs(next.version)), changed);
  return { record, created: current?.arn === undefined };
}

/** Throws 404, 412. The record is claimed before the value goes: of two requests at once, one is told. */
export async function deleteSecret(
  { table, secrets, stage }: Dependencies,
  { caller: { organisation }, ifMatch }: Asking,
  name: string,
): Promise<void> {
  const current = await requireSecret({ table }, organisation, name);
  requireMatch({ ifMatch }, current.version);
  const version = current.version + 1;
  const claimed = { ...current, version };
  await orElse(() => table.put(organisation, 'secrets', name, claimed, versionIs(current.version)), changed);
  await secrets.remove(secretNameOf(stage.stage, organisation, 'secrets', name));
  await orElse(() => table.remove(organisation, 'secrets', name, versionIs(version)), changed);
}

const changed = () =>
  new ProblemError(412, 'stale', 'Another request changed the secret at the same time. Try again.');

async function orElse(write: () => Promise<void>, problem: () => ProblemError): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof ConditionFailedError) throw problem();
    throw error;
  }
}

import { secretNameOf } from '../../shared/aws/secrets.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { conflict, invalid, ProblemError } from '../../shared/http/problem.ts';
import type { NewRegistry } from '../../shared/model/registry.ts';
import { checkRegistry } from '../../shared/registry/check.ts';
import { InvalidRegistryUrlError, parseRegistryUrl, type RegistryUrl } from '../../shared/registry/url.ts';
import type { RegistryRecord } from '../../shared/store/registries.ts';
import { withoutImages } from '../../shared/store/registry-images.ts';
import { absent, ConditionFailedError } from '../../shared/store/table.ts';
import { brokenRules } from './credential-rules.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { finishWithSecret, mark } from './record-change.ts';

/** Registries are few: lists read them whole. */
const mostPerOrganisation = 200;

/**
 * R1: connects a registry. The record comes before its secret, so that a secret always belongs to a record that can
 * be deleted; `id` repeats when an idempotency key does, and then finishes what the first try began.
 * Throws 422 problems that name the field, 409 above the limit.
 */
export async function createRegistry(
  dependencies: RegistriesDependencies,
  { organisation, email, now }: Asking,
  id: string,
  { check, password, ...asked }: NewRegistry,
): Promise<RegistryRecord> {
  const { table, stage, network } = dependencies;
  const url = readUrl(asked.url, stage.privateRegistries);
  const broken = brokenRules(
    { ...asked, url, password },
    { organisation, ecrRegistry: dependencies.ecrRegistry },
  );
  if (broken.length > 0) throw invalid(...broken);
  const credentials =
    asked.username !== undefined && password !== undefined
      ? { username: asked.username, password }
      : undefined;
  if (check) {
    // In the own ECR the role decides, whatever is given.
    const counting =
      url.host === dependencies.ecrRegistry
        ? await dependencies.access.credentialsFor(organisation, url.host, url.path)
        : credentials;
    const subject = { url, visibility: asked.visibility, credentials: counting };
    const { ok, cause, message, retryAfterSeconds } = await checkRegistry(network, subject, now);
    if (!ok)
      throw new ProblemError(
        422,
        'registry-check-failed',
        message,
        {
          errors: [
            { pointer: cause === 'bad-credentials' ? '/password' : '/url', message: `${cause}: ${message}` },
          ],
        },
        retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
      );
  }
  if ((await table.all(organisation, 'registries')).length >= mostPerOrganisation)
    throw conflict(
      'too-many-registries',
      `An organisation can have at most ${mostPerOrganisation} registries.`,
    );
  const time = now.toISOString();
  const record = {
    ...url,
    id,
    title: asked.title,
    type: asked.type,
    visibility: asked.visibility,
    createdAt: time,
    createdBy: email,
    updatedAt: time,
    version: 1,
    ...(credentials ? { changing: mark(now) } : {}),
  } as RegistryRecord;
  const begun = await begin(dependencies, organisation, record);
  if (!credentials || !begun.changing) return begun;
  try {
    return await finishWithSecret(dependencies, organisation, begun, credentials);
  } catch (error) {
    await forget(dependencies, organisation, id);
    throw error;
  }
}

/**
 * The caller hears that it failed, so nothing may stay, unless an image has come to refer to it. The secret may have been
 * written all the same; it goes first, while its record still leads to it.
 */
async function forget(
  { table, secrets, stage }: RegistriesDependencies,
  organisation: string,
  id: string,
): Promise<void> {
  await secrets.remove(secretNameOf(stage.stage, organisation, 'registries', id));
  try {
    await table.transact([
      { Delete: { TableName: table.name, Key: table.key(organisation, 'registries', id) } },
      withoutImages(table, organisation, id),
    ]);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}

/** The new record, or the one that a first try with the same idempotency key had begun or finished. */
async function begin(
  { table }: RegistriesDependencies,
  organisation: string,
  record: RegistryRecord,
): Promise<RegistryRecord> {
  try {
    await table.put(organisation, 'registries', record.id, record, absent);
    return record;
  } catch (error) {
    if (!(error instanceof ConditionFailedError) || !error.existing) throw error;
    return error.existing as RegistryRecord;
  }
}

/** Throws a 422 problem on `/url`. */
export function readUrl(text: string, privateHosts: readonly string[]): RegistryUrl {
  try {
    return parseRegistryUrl(text, privateHosts);
  } catch (error) {
    if (error instanceof InvalidRegistryUrlError) throw invalid({ pointer: '/url', message: error.message });
    throw error;
  }
}

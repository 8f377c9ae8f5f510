import type { Asking } from '../../shared/http/asking.ts';
import { conflict, invalid, notFound } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import { passwordWanted, type RegistryChange } from '../../shared/model/registry.ts';
import { formatRegistryUrl, type RegistryUrl } from '../../shared/registry/url.ts';
import { getRegistryRecord, type RegistryRecord } from '../../shared/store/registries.ts';
import { withoutImages } from '../../shared/store/registry-images.ts';
import { readUrl } from './create.ts';
import { brokenRules } from './credential-rules.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { finishWithSecret, mark, replaceRecord, requireIdle, requireStaying } from './record-change.ts';

/**
 * R3: changes title, url or credentials; null and missing fields are left alone, the secret keeps its identity.
 * Throws 404, 409 for a default registry, one at work, or a move of one that images refer to, 412, and 422 with the
 * field that is wrong.
 */
export async function updateRegistry(
  dependencies: RegistriesDependencies,
  { organisation, now }: Asking,
  id: string,
  change: RegistryChange,
  ifMatch: string | undefined,
): Promise<RegistryRecord> {
  const { table } = dependencies;
  const current = await storedRegistry(dependencies, organisation, id);
  requireMatch({ ifMatch }, current.version);
  requireStaying(current);
  requireIdle(current, now);
  const credentials = newCredentials(current, change);
  const url = change.url ? readUrl(change.url, dependencies.stage.privateRegistries) : current;
  // What was connected under other rules stays, until it is about what they are about.
  const isConcerned = change.url ?? change.visibility ?? change.username ?? change.password;
  const broken = !isConcerned
    ? []
    : brokenRules(
        {
          type: current.type,
          url,
          visibility: change.visibility ?? current.visibility,
          username: credentials?.username ?? current.username,
          password: credentials?.password,
        },
        { organisation, ecrRegistry: dependencies.ecrRegistry },
      );
  if (broken.length > 0) throw invalid(...broken);
  // Credentials belong to the host that they were given for: sent to another, they would be given away.
  const hasNewHost = url.host !== current.host;
  if (hasNewHost && current.secretArn && !credentials)
    throw invalid({ pointer: '/password', message: 'is required when `url` moves to another host' });
  const { changing: _, secretArn, ...rest } = current;
  const next = {
    ...rest,
    // Until the secret has the new ones, the new host has none.
    ...(secretArn && !hasNewHost ? { secretArn } : {}),
    host: url.host,
    path: url.path,
    insecure: url.insecure,
    title: change.title ?? current.title,
    visibility: change.visibility ?? current.visibility,
    updatedAt: now.toISOString(),
    version: current.version + 1,
    ...(credentials ? { changing: mark(now) } : {}),
  } as RegistryRecord;
  // Images keep the place in their names: built again, they would be pushed to the old one without its credentials.
  const hasMoved = hasNewHost || url.path !== current.path;
  const others = hasMoved ? [withoutImages(table, organisation, id)] : [];
  await replaceRecord(dependencies, next, current.version, others, remedyWith(url));
  return credentials ? await finishWithSecret(dependencies, organisation, next, credentials) : next;
}

const remedyWith = (url: RegistryUrl) =>
  `their names contain its host and path. Connect ${formatRegistryUrl(url)} as another registry (POST /v1/registries) and mirror them there (POST /v1/images/{id}/mirrors), or delete them first (GET /v1/registries/{id}/images lists them).`;

/** A password alone rotates; a new username alone would leave its password behind; the one that is there changes nothing. */
function newCredentials(current: RegistryRecord, { username, password }: RegistryChange) {
  if (!password && (!username || (current.secretArn && username === current.username))) return undefined;
  if (!password) throw invalid({ pointer: '/password', message: passwordWanted(username) });
  const name = username ?? current.username;
  if (!name) throw invalid({ pointer: '/username', message: 'is required with `password`' });
  return { username: name, password };
}

/** Throws 404, and 409 for a default registry. */
export async function storedRegistry(
  { table, registries }: RegistriesDependencies,
  organisation: string,
  id: string,
): Promise<RegistryRecord> {
  const record = await getRegistryRecord(table, organisation, id);
  if (record) return record;
  if (await registries.get(organisation, id))
    throw conflict('default-registry', "Default registries can't be changed or deleted.");
  throw notFound('registry');
}

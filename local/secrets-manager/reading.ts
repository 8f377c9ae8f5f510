/** Reading values, describing and listing secrets. */
import { AwsError, type JsonCall, type Principal } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { authorizeKey, epochSeconds, requireSecret, requireUsable, type SecretAccess } from './access.ts';
import type { SecretRecord, SecretVersion } from './store.ts';
import { findVersion } from './versions.ts';

const members = (call: JsonCall): RequestMembers => new RequestMembers(call.input, 'ValidationException');
const secretId = { max: 2048 };

function read(
  access: SecretAccess,
  principal: Principal,
  id: string,
  versionId: string | undefined,
  stage: string | undefined,
): { secret: SecretRecord; version: SecretVersion } {
  const secret = requireUsable(requireSecret(access, principal, 'GetSecretValue', id));
  const version = findVersion(access.store, secret.arn, versionId, stage);
  authorizeKey(access, principal, 'Decrypt', secret);
  access.store.accessed(secret.arn);
  return { secret, version };
}

export function getSecretValue(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const { secret, version } = read(
    access,
    call.principal,
    input.string('SecretId', secretId),
    input.optionalString('VersionId', { min: 32, max: 64 }),
    input.optionalString('VersionStage', { min: 1, max: 256 }),
  );
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...(version.value.string !== undefined && { SecretString: version.value.string }),
    ...(version.value.binary !== undefined && { SecretBinary: version.value.binary }),
    VersionStages: version.stages,
    CreatedDate: epochSeconds(version.createdAt),
  };
}

/**
 * A secret as containers and builds refer to it: an ARN or a name, then `:json-key:version-stage:version-id`,
 * each of which may be empty or left off. Throws as GetSecretValue does, or `ResourceInitializationError`
 * where the key isn't there.
 */
export function readReference(access: SecretAccess, principal: Principal, valueFrom: string): string {
  const parts = valueFrom.split(':');
  const idLength = valueFrom.startsWith('arn:') ? 7 : 1;
  const [key, stage, versionId] = parts.slice(idLength);
  const { version } = read(
    access,
    principal,
    parts.slice(0, idLength).join(':'),
    versionId || undefined,
    stage || undefined,
  );
  const text = version.value.string ?? Buffer.from(version.value.binary ?? '', 'base64').toString();
  if (!key) return text;
  const member = memberOf(text, key);
  if (member === undefined)
    throw new AwsError(
      'ResourceInitializationError',
      `retrieved secret from Secrets Manager did not contain json key ${key}`,
    );
  return member;
}

function memberOf(text: string, key: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: then it has no such key either.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const member = (value as Record<string, unknown>)[key];
  return typeof member === 'string' ? member : JSON.stringify(member);
}

function description(access: SecretAccess, secret: SecretRecord): Record<string, unknown> {
  const staged = access.store.versions(secret.arn).filter((one) => one.stages.length > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description !== null && { Description: secret.description }),
    ...(secret.kmsKeyId !== null && { KmsKeyId: secret.kmsKeyId }),
    CreatedDate: epochSeconds(secret.createdAt),
    LastChangedDate: epochSeconds(secret.changedAt),
    ...(secret.accessedAt !== null && { LastAccessedDate: epochSeconds(secret.accessedAt) }),
    ...(secret.deletedAt !== null && { DeletedDate: epochSeconds(secret.deletedAt) }),
    Tags: secret.tags,
    stages: Object.fromEntries(staged.map((one) => [one.id, one.stages])),
  };
}

export function describeSecret(access: SecretAccess, call: JsonCall): object {
  const id = members(call).string('SecretId', secretId);
  const { stages, ...described } = description(
    access,
    requireSecret(access, call.principal, 'DescribeSecret', id),
  );
  return { ...described, VersionIdsToStages: stages };
}

type Filter = (secret: SecretRecord) => boolean;

function readFilter(input: RequestMembers): Filter {
  const key = input.string('Key');
  const values = input.strings('Values', 10);
  const texts: Record<string, (secret: SecretRecord) => string[]> = {
    name: (secret) => [secret.name],
    description: (secret) => [secret.description ?? ''],
    'tag-key': (secret) => secret.tags.map((tag) => tag.Key),
    'tag-value': (secret) => secret.tags.map((tag) => tag.Value),
  };
  const textsOf = texts[key];
  if (!textsOf)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${key}' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: [${Object.keys(texts).join(', ')}]`,
    );
  return (secret) =>
    values.some((value) =>
      value.startsWith('!')
        ? !textsOf(secret).some((text) => text.startsWith(value.slice(1)))
        : textsOf(secret).some((text) => text.startsWith(value)),
    );
}

export function listSecrets(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  call.authorize('secretsmanager:ListSecrets', '*');
  const limit = input.optionalInteger('MaxResults', 1, 100) ?? 100;
  const filters = input.structures('Filters', 10).map(readFilter);
  const planned = input.boolean('IncludePlannedDeletion', false);
  const descending = input.optionalString('SortOrder', { pattern: /^(asc|desc)$/ }) !== 'asc';
  const token = input.optionalString('NextToken', { pattern: /^\d{1,12}$/ });
  const found = access.store
    .all()
    .filter((one) => (planned || one.deletedAt === null) && filters.every((matches) => matches(one)));
  if (descending) found.reverse();
  const offset = Number(token ?? 0);
  return {
    SecretList: found.slice(offset, offset + limit).map((one) => {
      const { stages, ...described } = description(access, one);
      return { ...described, SecretVersionsToStages: stages };
    }),
    ...(offset + limit < found.length && { NextToken: String(offset + limit) }),
  };
}

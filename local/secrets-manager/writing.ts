/** Creating, changing and deleting secrets. */
import { randomInt, randomUUID } from 'node:crypto';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { transaction } from '../transaction.ts';
import {
  authorizeKey,
  epochSeconds,
  readTags,
  readValue,
  requireSecret,
  requireUsable,
  type SecretAccess,
} from './access.ts';
import { putVersion } from './versions.ts';

const members = (call: JsonCall): RequestMembers => new RequestMembers(call.input, 'ValidationException');
const secretId = { max: 2048 };
const token = { min: 32, max: 64 };
const dayMs = 86_400_000;

function arnSuffix(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 6 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function readName(input: RequestMembers): string {
  const name = input.string('Name', { max: 512 });
  if (!/^[A-Za-z0-9/_+=.@!-]+$/.test(name))
    throw new AwsError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  return name;
}

export function createSecret(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const name = readName(input);
  const versionId = input.optionalString('ClientRequestToken', token) ?? randomUUID();
  const description = input.optionalString('Description', { max: 2048 }) ?? null;
  const kmsKeyId = input.optionalString('KmsKeyId', { max: 2048 }) ?? null;
  const tags = readTags(input);
  const value = readValue(input);
  const existing = access.store.byName(name);
  const arn = existing?.arn ?? `${access.bareArn(name)}-${arnSuffix()}`;
  const context = {
    'secretsmanager:Name': name,
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(tags.length > 0 && { 'aws:TagKeys': tags.map(({ Key }) => Key) }),
  };
  call.authorize('secretsmanager:CreateSecret', arn, context);
  if (tags.length > 0) call.authorize('secretsmanager:TagResource', arn, context);
  if (existing?.deletedAt)
    throw new AwsError(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  if (existing) {
    const version = access.store.versions(arn).find((one) => one.id === versionId);
    const repeated =
      version && value && version.value.string === value.string && version.value.binary === value.binary;
    if (!repeated)
      throw new AwsError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    return { ARN: arn, Name: name, VersionId: versionId };
  }
  authorizeKey(access, call.principal, 'GenerateDataKey', { arn, kmsKeyId });
  transaction(access.cloud.db, () => {
    access.store.add({ arn, name, description, kmsKeyId, tags, declaration: null });
    if (value) putVersion(access.store, arn, versionId, value, ['AWSCURRENT']);
  });
  return { ARN: arn, Name: name, ...(value && { VersionId: versionId }) };
}

export function putSecretValue(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const secret = requireSecret(access, call.principal, 'PutSecretValue', input.string('SecretId', secretId));
  requireUsable(secret);
  const versionId = input.optionalString('ClientRequestToken', token) ?? randomUUID();
  const stages = input.strings('VersionStages', 20);
  const value = readValue(input);
  if (!value)
    throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
  authorizeKey(access, call.principal, 'GenerateDataKey', secret);
  const labels = stages.length > 0 ? stages : ['AWSCURRENT'];
  transaction(access.cloud.db, () => {
    putVersion(access.store, secret.arn, versionId, value, labels);
    access.store.update(secret);
  });
  const stored = access.store.versions(secret.arn).find((one) => one.id === versionId);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: versionId,
    VersionStages: stored?.stages ?? labels,
  };
}

export function updateSecret(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const secret = requireUsable(
    requireSecret(access, call.principal, 'UpdateSecret', input.string('SecretId', secretId)),
  );
  const versionId = input.optionalString('ClientRequestToken', token) ?? randomUUID();
  const value = readValue(input);
  const changed = {
    ...secret,
    description: input.optionalString('Description', { max: 2048 }) ?? secret.description,
    kmsKeyId: input.optionalString('KmsKeyId', { max: 2048 }) ?? secret.kmsKeyId,
  };
  if (value) authorizeKey(access, call.principal, 'GenerateDataKey', changed);
  transaction(access.cloud.db, () => {
    if (value) putVersion(access.store, secret.arn, versionId, value, ['AWSCURRENT']);
    access.store.update(changed);
  });
  return { ARN: secret.arn, Name: secret.name, ...(value && { VersionId: versionId }) };
}

/** Marks for deletion after 7 to 30 days (30 unless said), or deletes at once with `ForceDeleteWithoutRecovery`. */
export function deleteSecret(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const id = input.string('SecretId', secretId);
  const force = input.boolean('ForceDeleteWithoutRecovery', false);
  const days = input.optionalInteger('RecoveryWindowInDays', 0, Number.MAX_SAFE_INTEGER);
  if (force && days !== undefined)
    throw new AwsError(
      'InvalidParameterException',
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
  if (days !== undefined && (days < 7 || days > 30))
    throw new AwsError(
      'InvalidParameterException',
      'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
    );
  const now = access.cloud.now().getTime();
  try {
    const secret = requireSecret(access, call.principal, 'DeleteSecret', id);
    if (force) {
      transaction(access.cloud.db, () => access.store.remove(secret.arn));
      return { ARN: secret.arn, Name: secret.name, DeletionDate: epochSeconds(now) };
    }
    requireUsable(secret);
    const purgeAt = now + (days ?? 30) * dayMs;
    access.store.update({ ...secret, deletedAt: now, purgeAt });
    return { ARN: secret.arn, Name: secret.name, DeletionDate: epochSeconds(purgeAt) };
  } catch (error) {
    // AWS answers a forced deletion of what isn't there as done.
    if (!force || !(error instanceof AwsError) || error.code !== 'ResourceNotFoundException') throw error;
    const named = id.startsWith('arn:')
      ? { ARN: id, Name: id.split(':')[6] ?? id }
      : { ARN: access.bareArn(id), Name: id };
    return { ...named, DeletionDate: epochSeconds(now) };
  }
}

export function restoreSecret(access: SecretAccess, call: JsonCall): object {
  const secret = requireSecret(
    access,
    call.principal,
    'RestoreSecret',
    members(call).string('SecretId', secretId),
  );
  access.store.update({ ...secret, deletedAt: null, purgeAt: null });
  return { ARN: secret.arn, Name: secret.name };
}

export function tagResource(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const secret = requireUsable(
    requireSecret(access, call.principal, 'TagResource', input.string('SecretId', secretId)),
  );
  const added = readTags(input);
  const tags = [...secret.tags.filter((one) => !added.some(({ Key }) => Key === one.Key)), ...added];
  if (tags.length > 50) throw new AwsError('LimitExceededException', 'A secret can have at most 50 tags.');
  access.store.update({ ...secret, tags });
  return {};
}

export function untagResource(access: SecretAccess, call: JsonCall): object {
  const input = members(call);
  const secret = requireUsable(
    requireSecret(access, call.principal, 'UntagResource', input.string('SecretId', secretId)),
  );
  const removed = new Set(input.strings('TagKeys', 50));
  access.store.update({ ...secret, tags: secret.tags.filter((one) => !removed.has(one.Key)) });
  return {};
}

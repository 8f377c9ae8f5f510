/** Finding a secret by what a request calls it, and asking whether the caller may touch it. */
import { AwsError, type Cloud, type Principal } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';
import type { SecretRecord, SecretStore, SecretValue, Tag } from './store.ts';

export interface SecretAccess {
  cloud: Cloud;
  store: SecretStore;
  /** ARN of a name, without suffix. */
  bareArn(name: string): string;
}

const notFound = (): AwsError =>
  new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");

/** By name, by full ARN, or by ARN without suffix: one that ends like a suffix is taken as full, as AWS does. */
function find(access: SecretAccess, secretId: string): SecretRecord | undefined {
  if (!secretId.startsWith('arn:')) return access.store.byName(secretId);
  const full = access.store.byArn(secretId);
  if (full || /-[A-Za-z0-9]{6}$/.test(secretId)) return full;
  const name = /^arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:([^:]+)$/.exec(secretId)?.[1];
  return name === undefined ? undefined : access.store.byName(name);
}

/** The secret, once the principal has been found to be allowed `action` on it; missing ones are checked by their name. */
export function requireSecret(
  access: SecretAccess,
  principal: Principal,
  action: string,
  secretId: string,
): SecretRecord {
  const secret = find(access, secretId);
  const arn = secret?.arn ?? (secretId.startsWith('arn:') ? secretId : access.bareArn(secretId));
  const tags = Object.fromEntries(
    (secret?.tags ?? []).flatMap(({ Key, Value }) => [
      [`secretsmanager:ResourceTag/${Key}`, Value],
      [`aws:ResourceTag/${Key}`, Value],
    ]),
  );
  access.cloud.authorize(principal, `secretsmanager:${action}`, arn, {
    'secretsmanager:SecretId': arn,
    ...tags,
  });
  if (!secret) throw notFound();
  return secret;
}

/** Refuses a secret that is marked for deletion. */
export function requireUsable(secret: SecretRecord): SecretRecord {
  if (secret.deletedAt !== null)
    throw new AwsError(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  return secret;
}

/** A key of one's own is asked for through the service, as KMS sees it. */
export function authorizeKey(
  access: SecretAccess,
  principal: Principal,
  action: 'Decrypt' | 'GenerateDataKey',
  secret: Pick<SecretRecord, 'arn' | 'kmsKeyId'>,
): void {
  if (!secret.kmsKeyId || secret.kmsKeyId === 'alias/aws/secretsmanager') return;
  access.cloud.authorize(principal, `kms:${action}`, secret.kmsKeyId, {
    'kms:ViaService': `secretsmanager.${access.cloud.region}.amazonaws.com`,
    'kms:EncryptionContext:SecretARN': secret.arn,
  });
}

/** `SecretString` or `SecretBinary` (base64), each at most 65,536 bytes, never both. */
export function readValue(input: RequestMembers): SecretValue | undefined {
  const string = input.optionalString('SecretString', { min: 1, maxBytes: 65_536 });
  const binary = input.optionalString('SecretBinary', { min: 1 });
  if (string !== undefined && binary !== undefined)
    throw new AwsError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  if (string !== undefined) return { string };
  if (binary === undefined) return undefined;
  if (Buffer.from(binary, 'base64').length > 65_536)
    throw new AwsError(
      'ValidationException',
      "1 validation error detected: Value at 'secretBinary' failed to satisfy constraint: Member must have length less than or equal to 65536",
    );
  return { binary };
}

/** At most 50 tags; keys to 128 characters, values to 256. */
export function readTags(input: RequestMembers): Tag[] {
  return input.structures('Tags', 50).map((tag) => ({
    Key: tag.string('Key', { max: 128 }),
    Value: tag.optionalString('Value', { max: 256 }) ?? '',
  }));
}

export const epochSeconds = (milliseconds: number): number => milliseconds / 1000;

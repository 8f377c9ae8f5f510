/** Secrets that templates declare: made once, kept across starts, made anew only when their declaration changes. */
import { createHash, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DeclaredResource } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { transaction } from '../transaction.ts';
import { readTags, readValue, type SecretAccess } from './access.ts';
import { randomPassword } from './random-password.ts';
import type { SecretValue } from './store.ts';
import { putVersion } from './versions.ts';

function declaredValue(properties: RequestMembers): SecretValue | undefined {
  const generate = properties.structure('GenerateSecretString');
  if (!generate) return readValue(properties);
  const password = randomPassword(generate);
  const template = generate.optionalString('SecretStringTemplate');
  if (template === undefined) return { string: password };
  const key = generate.string('GenerateStringKey');
  return { string: JSON.stringify({ ...JSON.parse(template), [key]: password }) };
}

/** Brings one `AWS::SecretsManager::Secret` to life under the ARN that `Ref` gives. */
export function deploySecret(access: SecretAccess, resource: DeclaredResource, name: string): void {
  const properties = new RequestMembers(resource.properties ?? {}, 'ValidationException');
  const { SecretString, SecretBinary, GenerateSecretString } = resource.properties ?? {};
  const declaration = createHash('sha256')
    .update(JSON.stringify([SecretString, SecretBinary, GenerateSecretString]))
    .digest('hex');
  const described = {
    description: properties.optionalString('Description') ?? null,
    kmsKeyId: properties.optionalString('KmsKeyId') ?? null,
    tags: readTags(properties),
    declaration,
  };
  transaction(access.cloud.db, () => {
    const existing = access.store.byArn(resource.physicalId);
    const wanted = existing && { ...existing, ...described, deletedAt: null, purgeAt: null };
    if (wanted) {
      if (!isDeepStrictEqual(wanted, existing)) access.store.update(wanted);
    } else access.store.add({ arn: resource.physicalId, name, ...described });
    if (existing?.declaration === declaration) return;
    const value = declaredValue(properties);
    if (value) putVersion(access.store, resource.physicalId, randomUUID(), value, ['AWSCURRENT']);
  });
}

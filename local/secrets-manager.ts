/** Secrets Manager: versions, stages, recovery windows; values sealed in `cloud.db`. */
import { createHash } from 'node:crypto';
import type { Cloud, Principal, Service } from './platform.ts';
import { RequestMembers } from './request-members.ts';
import type { SecretAccess } from './secrets-manager/access.ts';
import { deploySecret } from './secrets-manager/declared.ts';
import { randomPassword } from './secrets-manager/random-password.ts';
import { describeSecret, getSecretValue, listSecrets, readReference } from './secrets-manager/reading.ts';
import { openSecretStore } from './secrets-manager/store.ts';
import {
  createSecret,
  deleteSecret,
  putSecretValue,
  restoreSecret,
  tagResource,
  untagResource,
  updateSecret,
} from './secrets-manager/writing.ts';
import { generatedName } from './template/names.ts';

export interface SecretsManager extends Service {
  /** A secret's value as `principal` may read it; `valueFrom` is a name or ARN with optional `:json-key:stage:version`. */
  readSecret(principal: Principal, valueFrom: string): string;
}

const purgeEveryMs = 60_000;

/** The six characters after a declared secret's name, the same at every start. */
function stableSuffix(declared: { stack: string; logicalId: string }): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const digest = createHash('sha256').update(`${declared.stack}/${declared.logicalId}`).digest();
  return Array.from(digest.subarray(0, 6), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Secrets Manager on `cloud.db`, sealed with `<home>/secrets.key`. */
export function createSecretsManager(cloud: Cloud): SecretsManager {
  const bareArn = (name: string): string =>
    `arn:aws:secretsmanager:${cloud.region}:${cloud.accountId}:secret:${name}`;
  const access: SecretAccess = { cloud, store: openSecretStore(cloud), bareArn };
  const nameOf = (declared: {
    stack: string;
    logicalId: string;
    properties: { Name?: string } | undefined;
  }) => declared.properties?.Name ?? generatedName(declared, 512);
  let stopPurge = (): void => undefined;

  return {
    signingName: 'secretsmanager',
    resourceTypes: {
      'AWS::SecretsManager::Secret': {
        physicalId: (declared) => `${bareArn(nameOf(declared))}-${stableSuffix(declared)}`,
        attributes: ({ physicalId }) => ({ Id: physicalId }),
      },
    },
    async deploy(resources) {
      for (const one of resources) deploySecret(access, one, nameOf(one));
    },
    async start() {
      access.store.purge();
      stopPurge = cloud.every(purgeEveryMs, 'secrets past their recovery window', () => access.store.purge());
    },
    async stop() {
      stopPurge();
    },
    readSecret: (principal, valueFrom) => readReference(access, principal, valueFrom),
    operations: {
      CreateSecret: (call) => createSecret(access, call),
      GetSecretValue: (call) => getSecretValue(access, call),
      PutSecretValue: (call) => putSecretValue(access, call),
      UpdateSecret: (call) => updateSecret(access, call),
      DeleteSecret: (call) => deleteSecret(access, call),
      RestoreSecret: (call) => restoreSecret(access, call),
      DescribeSecret: (call) => describeSecret(access, call),
      ListSecrets: (call) => listSecrets(access, call),
      TagResource: (call) => tagResource(access, call),
      UntagResource: (call) => untagResource(access, call),
      GetRandomPassword(call) {
        call.authorize('secretsmanager:GetRandomPassword', '*');
        return { RandomPassword: randomPassword(new RequestMembers(call.input, 'ValidationException')) };
      },
    },
  };
}

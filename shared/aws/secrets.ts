/** Secrets Manager: the only place where credentials and secret values are kept. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

/** Where a value lies: later values of the same secret have other versions. */
export interface WrittenSecret {
  arn: string;
  versionId: string;
}

export interface SecretReader {
  /** The value of a secret, by name or ARN; undefined where there is none. */
  read(id: string): Promise<string | undefined>;
}

export interface Secrets extends SecretReader {
  /** Creates the secret, or gives the one of that name a new value: its ARN stays. */
  write(name: string, value: string, tags?: Record<string, string>): Promise<WrittenSecret>;
  /** Deletes at once, without a recovery window; does nothing where there is none. */
  remove(id: string): Promise<void>;
}

/** A deleted name can stay taken for a few seconds. */
const nameTakenAttempts = 8;

/** By itself, so that functions which only read don't carry the rest. */
export function createSecretReader(
  client: SecretsManagerClient = new SecretsManagerClient({}),
): SecretReader {
  return {
    async read(id) {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
      } catch (error) {
        if (nameOf(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
  };
}

export function createSecrets(client: SecretsManagerClient = new SecretsManagerClient({})): Secrets {
  return {
    ...createSecretReader(client),
    async write(name, value, tags = {}) {
      // One token for all tries: a lost answer doesn't make a second version.
      const ClientRequestToken = randomUUID();
      for (let attempt = 1; ; attempt++) {
        try {
          const made = await client.send(
            new CreateSecretCommand({
              Name: name,
              SecretString: value,
              ClientRequestToken,
              Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
            }),
          );
          return writtenIn(made);
        } catch (error) {
          if (isBeingDeleted(error) && attempt < nameTakenAttempts) {
            await sleep(attempt * 250);
            continue;
          }
          if (nameOf(error) !== 'ResourceExistsException') throw error;
        }
        try {
          return writtenIn(
            await client.send(
              new PutSecretValueCommand({ SecretId: name, SecretString: value, ClientRequestToken }),
            ),
          );
        } catch (error) {
          const gone = nameOf(error) === 'ResourceNotFoundException' || isBeingDeleted(error);
          if (!gone || attempt >= nameTakenAttempts) throw error;
          await sleep(attempt * 250);
        }
      }
    },
    async remove(id) {
      try {
        await client.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true }));
      } catch (error) {
        if (nameOf(error) !== 'ResourceNotFoundException' && !isBeingDeleted(error)) throw error;
      }
    },
  };
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const isBeingDeleted = (error: unknown): boolean =>
  nameOf(error) === 'InvalidRequestException' &&
  /scheduled for deletion|marked.* deletion/i.test(String(error));

function writtenIn({ ARN, VersionId }: { ARN?: string | undefined; VersionId?: string | undefined }) {
  if (!ARN || !VersionId) throw new Error('Secrets Manager answered no ARN or no version');
  return { arn: ARN, versionId: VersionId };
}

/** Names of secrets: `slipway/<stage>/<organisation>/<kind>/<id>`. Roles are limited by this prefix. */
export const secretNameOf = (
  stage: string,
  organisation: string,
  kind: 'registries' | 'experiments' | 'secrets',
  id: string,
): string => `slipway/${stage}/${organisation}/${kind}/${id}`;

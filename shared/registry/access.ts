/**
 * Registries as one organisation may use them: which client with which credentials for which repository. The only
 * place that reads registry credentials.
 */
import * as z from 'zod';
import type { SecretReader } from '../aws/secrets.ts';
import { type KnownRegistry, type RegistryStore, registryFor } from '../store/registries.ts';
import { bounded, lookUpsMs } from './bounded.ts';
import { createRegistryClient } from './client.ts';
import { slipwayNamespace } from './defaults.ts';
import { type Credentials, type RegistryClient, RegistryError } from './model.ts';
import type { Network } from './network.ts';

export interface RegistryAccess {
  /** The registry of a repository (longest path wins); undefined where none was connected. */
  registryOf(organisation: string, host: string, repository: string): Promise<KnownRegistry | undefined>;
  /** Stored credentials of a registry, the own role's for the deployment's ECR, or none. */
  credentialsOf(registry: KnownRegistry): Promise<Credentials | undefined>;
  /** The same for whatever registry a repository belongs to. */
  credentialsFor(organisation: string, host: string, repository: string): Promise<Credentials | undefined>;
  /** A client with those credentials, or with `credentials` instead. */
  clientFor(
    organisation: string,
    host: string,
    repository: string,
    credentials?: Credentials,
  ): Promise<RegistryClient>;
}

export interface RegistryAccessDependencies {
  registries: RegistryStore;
  secrets: SecretReader;
  /** Logs in to the deployment's own ECR. */
  ecrLogin: () => Promise<Credentials>;
  ecrRegistry: string;
  network: Network;
}

const stored = z.object({ username: z.string(), password: z.string() });

/**
 * Methods that take a repository throw `RegistryError` (`not-found`) for one of the deployment's own ECR that belongs to
 * another organisation: the function's role could read it, the caller may not.
 */
export function createRegistryAccess({
  registries,
  secrets,
  ecrLogin,
  ecrRegistry,
  network,
}: RegistryAccessDependencies): RegistryAccess {
  function requireOwn(organisation: string, host: string, repository: string): void {
    const [namespace] = repository.split('/');
    if (host === ecrRegistry && namespace !== organisation && namespace !== slipwayNamespace)
      throw new RegistryError('not-found', host, `${host} has no image ${repository}`);
  }

  async function registryOf(organisation: string, host: string, repository: string) {
    requireOwn(organisation, host, repository);
    return registryFor(await registries.all(organisation), host, repository);
  }

  async function credentialsOf({
    host,
    secretArn,
    registry,
  }: KnownRegistry): Promise<Credentials | undefined> {
    // In the own ECR the role decides, whatever somebody has stored.
    if (host === ecrRegistry) return await ecrLogin();
    if (!secretArn) return undefined;
    const value = await secrets.read(secretArn);
    if (value === undefined)
      throw new RegistryError(
        'bad-credentials',
        host,
        `The credentials of ${registry.title} are missing. Enter them again (PATCH /v1/registries/${registry.id}).`,
      );
    return stored.parse(JSON.parse(value));
  }

  return {
    registryOf,
    credentialsOf,
    async credentialsFor(organisation, host, repository) {
      const known = await registryOf(organisation, host, repository);
      return known && (await credentialsOf(known));
    },
    async clientFor(organisation, host, repository, credentials) {
      const known = await registryOf(organisation, host, repository);
      const client = createRegistryClient({
        host,
        network,
        credentials: credentials ?? (known && (await credentialsOf(known))),
        insecure: known?.insecure ?? false,
      });
      return bounded(client, lookUpsMs);
    },
  };
}

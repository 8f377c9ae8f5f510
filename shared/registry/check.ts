/** R9: whether a registry works as it is set up, and if not, why. */
import { type CheckCause, checkCauses, type RegistryCheckResult } from '../model/registry.ts';
import { bounded, lookUpsMs } from './bounded.ts';
import { createRegistryClient } from './client.ts';
import { type Credentials, type RegistryClient, RegistryError } from './model.ts';
import type { Network } from './network.ts';
import type { RegistryUrl } from './url.ts';

/** What a check is about: a stored registry, or one that isn't stored yet. */
export interface CheckSubject {
  url: RegistryUrl;
  visibility: 'public' | 'private';
  credentials?: Credentials | undefined;
  /** Also asks for rights on this repository (below the registry's path). */
  repository?: string | undefined;
  /** Builds create what repositories they need here, so that one may be missing. */
  createsRepositories?: boolean;
}

/** Never throws for anything that the registry does. */
export async function checkRegistry(
  network: Network,
  { url, visibility, credentials, repository, createsRepositories = false }: CheckSubject,
  now: Date,
  withinMs = lookUpsMs,
): Promise<RegistryCheckResult> {
  const client = bounded(createRegistryClient({ ...url, credentials, network }), withinMs);
  const warnings: string[] = [];
  const checkedAt = now.toISOString();
  try {
    await client.ping();
    if (repository === undefined)
      return {
        ok: true,
        message: credentials
          ? `${url.host} is a registry and accepts these credentials.`
          : `${url.host} is a registry.`,
        warnings: ['To check the permissions for a repository too, name it in `repository`.'],
        checkedAt,
      };
    const name = url.path === '' ? repository : `${url.path}/${repository}`;
    if ((await client.headManifest(name, 'latest')) === undefined)
      warnings.push(`${name} has no tag "latest" yet, so Slipway could not test pulling.`);
    if (visibility === 'private') await probePush(client, name, createsRepositories);
    const rights = visibility === 'private' ? 'pull and push' : 'pull';
    return { ok: true, message: `These credentials can ${rights} ${name}.`, warnings, checkedAt };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return {
      ok: false,
      cause: causeOf(error),
      message: error.message,
      ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
      warnings,
      checkedAt,
    };
  }
}

async function probePush(client: RegistryClient, name: string, createsRepositories: boolean): Promise<void> {
  try {
    await client.probePush(name);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'not-found') throw error;
    if (!createsRepositories)
      throw new RegistryError(
        'no-push',
        client.host,
        `${client.host} has no repository ${name}, and a push does not create it`,
      );
  }
}

/** What is no cause of its own: a hidden repository can't be pulled, nonsense comes from what is no registry. */
function causeOf({ code }: RegistryError): CheckCause {
  const cause = checkCauses.find((one) => one === code);
  return cause ?? (code === 'not-found' ? 'no-pull' : 'not-a-registry');
}

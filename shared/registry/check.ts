/** R9: whether a registry works as it is set up, and if not, why. */
import { type CheckCause, checkCauses, type RegistryCheckResult } from '../model/registry.ts';
import { createRegistryClient } from './client.ts';
import { type Credentials, RegistryError } from './model.ts';
import type { Network } from './network.ts';
import type { RegistryUrl } from './url.ts';

/** What a check is about: a stored registry, or one that isn't stored yet. */
export interface CheckSubject {
  url: RegistryUrl;
  visibility: 'public' | 'private';
  credentials?: Credentials | undefined;
  /** Also asks for rights on this repository (below the registry's path). */
  repository?: string | undefined;
}

/** Never throws for anything that the registry does. */
export async function checkRegistry(
  network: Network,
  { url, visibility, credentials, repository }: CheckSubject,
  now: Date,
): Promise<RegistryCheckResult> {
  const client = createRegistryClient({ host: url.host, insecure: url.insecure, credentials, network });
  const warnings: string[] = [];
  const checkedAt = now.toISOString();
  try {
    await client.ping();
    if (repository === undefined)
      return {
        ok: true,
        message: credentials
          ? `${url.host} is a registry and takes these credentials.`
          : `${url.host} is a registry.`,
        warnings: ['Name a repository to check the rights on it, too.'],
        checkedAt,
      };
    const name = url.path === '' ? repository : `${url.path}/${repository}`;
    if ((await client.headManifest(name, 'latest')) === undefined)
      warnings.push(`${name} has no tag "latest" yet, so nothing was pulled.`);
    if (visibility === 'private') await client.probePush(name);
    const rights = visibility === 'private' ? 'pull and push' : 'pull';
    return { ok: true, message: `${name}: the right to ${rights} is there.`, warnings, checkedAt };
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

/** What is no cause of its own: a hidden repository can't be pulled, nonsense comes from what is no registry. */
function causeOf({ code }: RegistryError): CheckCause {
  const cause = checkCauses.find((one) => one === code);
  return cause ?? (code === 'not-found' ? 'no-pull' : 'not-a-registry');
}

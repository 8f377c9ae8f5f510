import type { Asking } from '../../shared/http/asking.ts';
import { invalid } from '../../shared/http/problem.ts';
import type { RegistryCheckResult } from '../../shared/model/registry.ts';
import { checkRegistry as check } from '../../shared/registry/check.ts';
import { isRepository } from '../../shared/registry/reference.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { getRegistry, withWarnings } from './read.ts';

/** R9: tries a registry with its stored credentials. Throws 404, 422 for what is no repository. */
export async function checkRegistry(
  dependencies: Pick<RegistriesDependencies, 'registries' | 'access' | 'network' | 'ecrRegistry'>,
  { organisation, now }: Pick<Asking, 'organisation' | 'now'>,
  id: string,
  repository: string | undefined,
): Promise<RegistryCheckResult> {
  if (repository !== undefined && !isRepository(repository))
    throw invalid({ pointer: '/repository', message: 'must be a valid repository name' });
  const known = await getRegistry(dependencies, organisation, id);
  const { visibility } = known.registry;
  const credentials = await dependencies.access.credentialsOf(known);
  const createsRepositories = known.host === dependencies.ecrRegistry;
  const found = await check(
    dependencies.network,
    { url: known, visibility, credentials, repository, createsRepositories },
    now,
  );
  const all = await dependencies.registries.all(organisation);
  const { warnings = [] } = withWarnings(known, all, dependencies);
  return { ...found, warnings: [...found.warnings, ...warnings] };
}

/** Where the image of a build goes, and what it is called there. */
import { invalid } from '../../http/problem.ts';
import { formatReference, joinReference } from '../../registry/reference.ts';
import type { KnownRegistry } from '../../store/registries.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { pushable } from './registry.ts';

/** Narrower than what other registries take. */
const ecrRepository = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export interface Target {
  registry: KnownRegistry;
  repository: string;
  tag: string;
  uri: string;
}

/** Throws 422 for a registry that takes no images, and for a name that it doesn't take. */
export async function targetOf(
  dependencies: AcceptDependencies,
  organisation: string,
  asked: { registryId?: string | undefined; repository?: string | undefined; tag?: string | undefined },
): Promise<Target> {
  const registry = await pushable(dependencies, organisation, asked.registryId);
  const { repository = '', tag = 'latest' } = asked;
  const location = joinReference({ repository, tag }, registry.host, registry.path);
  if (location.repository.length > 255)
    throw invalid({
      pointer: '/repository',
      message: `must be shorter: ${registry.host}/${registry.path} comes before it in the image's name`,
    });
  if (registry.host === dependencies.ecrRegistry && !ecrRepository.test(location.repository))
    throw invalid({
      pointer: '/repository',
      message: 'must have single `.`, `_` or `-` between letters and digits, as ECR requires',
    });
  return { registry, repository, tag, uri: formatReference(location) };
}

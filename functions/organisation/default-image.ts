/** O1: whether there is an image of the name that settings give. */
import { invalid } from '../../shared/http/problem.ts';
import { nameSources } from '../../shared/images/name-sources.ts';
import type { Settings } from '../../shared/model/organisation.ts';
import { RegistryError, type RegistryErrorCode } from '../../shared/registry/model.ts';
import { referenceOf } from '../../shared/registry/reference.ts';
import { resolveImageName, UnresolvedNameError } from '../../shared/registry/resolve.ts';
import type { OrganisationDependencies } from './dependencies.ts';

/** What a registry says of an image that isn't there, or is none. */
const refusals = new Set<RegistryErrorCode>(['not-found', 'refused']);

/**
 * Throws 422 for a name that means no image, under the settings that are to be, and for an image that its registry
 * doesn't have. A registry that can't be asked at the moment proves nothing.
 */
export async function requireDefaultImage(
  { table, registries, access }: Pick<OrganisationDependencies, 'table' | 'registries' | 'access'>,
  organisation: string,
  { defaultImage, defaultRegistryId }: Settings,
): Promise<void> {
  if (defaultImage === undefined) return;
  const refuse = (message: string) => invalid({ pointer: '/defaultImage', message });
  try {
    const { location, uri } = await resolveImageName(defaultImage, {
      ...nameSources(table, registries, organisation),
      defaultRegistry: async () =>
        defaultRegistryId === undefined ? undefined : registries.get(organisation, defaultRegistryId),
    });
    const client = await access.clientFor(organisation, location.host, location.repository);
    if (!(await client.headManifest(location.repository, referenceOf(location))))
      throw refuse(`names an image that does not exist: ${uri}`);
  } catch (error) {
    if (error instanceof UnresolvedNameError && error.code !== 'image-not-ready') throw refuse(error.message);
    if (error instanceof RegistryError && refusals.has(error.code)) throw refuse(error.message);
    if (!(error instanceof UnresolvedNameError || error instanceof RegistryError)) throw error;
  }
}

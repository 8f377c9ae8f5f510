import type { ImageRecord } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { parseReference, referenceOf } from '../../shared/registry/reference.ts';
import type { ImagesDependencies } from './dependencies.ts';

/**
 * The digest that the image has here, or that its tag names now for one of the catalogue, which nobody looked up.
 * Undefined for an image that was never built; throws what the registry says, as a problem.
 */
export async function digestOf(
  { access }: Pick<ImagesDependencies, 'access'>,
  organisation: string,
  { uri, digest, source }: ImageRecord,
): Promise<string | undefined> {
  if (digest !== undefined || source !== 'catalogue') return digest;
  const { host = '', repository, ...rest } = parseReference(uri);
  return registryAnswer('{id}', async () => {
    const client = await access.clientFor(organisation, host, repository);
    const manifest = await client.headManifest(repository, referenceOf(rest));
    if (!manifest) throw new RegistryError('not-found', host, `${uri} does not exist in its registry`);
    return manifest.digest;
  });
}

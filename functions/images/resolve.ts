/** I8: what a name means here and now, and by which rule. */

import { conflict, invalid, ProblemError } from '../../shared/http/problem.ts';
import { nameSources } from '../../shared/images/name-sources.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { ResolvedImage } from '../../shared/model/image.ts';
import { InvalidReferenceError, referenceOf } from '../../shared/registry/reference.ts';
import { type ResolvedName, resolveImageName, UnresolvedNameError } from '../../shared/registry/resolve.ts';
import type { ImagesDependencies } from './dependencies.ts';

/** Throws 422 for what is no name or no image, 404 and 409 for a name of the organisation that means none or several. */
export async function resolveImage(
  { table, registries, access }: Pick<ImagesDependencies, 'table' | 'registries' | 'access'>,
  organisation: string,
  requested: string | undefined,
): Promise<ResolvedImage> {
  const { rule, uri, location, warnings } = await meaning(() =>
    resolveImageName(requested, nameSources(table, registries, organisation)),
  );
  const manifest = await registryAnswer('/image', async () => {
    const client = await access.clientFor(organisation, location.host, location.repository);
    return client.resolveManifest(location.repository, referenceOf(location));
  });
  return { ...(requested === undefined ? {} : { requested }), rule, uri, digest: manifest.digest, warnings };
}

/** Errors of names as problems that name the field. */
export async function meaning(
  resolve: () => Promise<ResolvedName>,
  pointer = '/image',
): Promise<ResolvedName> {
  try {
    return await resolve();
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw invalid({ pointer, message: error.message });
    if (!(error instanceof UnresolvedNameError)) throw error;
    if (error.code === 'image-not-found') throw new ProblemError(404, error.code, error.message);
    throw conflict(error.code, error.message, error.candidates);
  }
}

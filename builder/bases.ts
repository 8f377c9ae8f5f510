/** Whether a build may have the images that it builds on. */

import { allInOrder } from '../shared/concurrency/all-in-order.ts';
import { baseImages } from '../shared/dockerfile/bases.ts';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { type ImageLocation, InvalidReferenceError, parseLocation } from '../shared/registry/reference.ts';
import { BuildError } from './build-error.ts';
import type { RegistryView } from './pushed.ts';

/**
 * Asks for every base with the build's own credentials. An engine that other organisations use as well doesn't: what
 * it has under a digest it gives to anybody who knows the digest. `registryOf` answers with the account that counts for
 * an image. Throws `BuildError` for the first one refused, in the order of the Dockerfile.
 */
export async function requireBases(
  spec: Pick<BuildSpec, 'dockerfile' | 'buildArgs' | 'bases'>,
  registryOf: (base: ImageLocation) => Pick<RegistryView, 'baseRefusalOf'>,
): Promise<void> {
  await allInOrder(
    baseLocations(spec).map(async ({ reference, location }) => {
      const refusal = await registryOf(location).baseRefusalOf(location);
      if (refusal)
        throw new BuildError({
          code: refusal.why === 'missing' ? 'base-image-not-found' : 'base-image-unauthorized',
          message: `The build can't use the base image ${reference}: ${refusal.message}.`,
          lastLines: [refusal.message],
        });
    }),
  );
}

/** Every base that has a name, with its pinned digest where it has one. */
export function baseLocations({
  dockerfile,
  buildArgs,
  bases,
}: Pick<BuildSpec, 'dockerfile' | 'buildArgs' | 'bases'>): { reference: string; location: ImageLocation }[] {
  return baseImages(dockerfile, buildArgs).flatMap((reference) => {
    const location = locationOf(reference, Object.hasOwn(bases, reference) ? bases[reference] : undefined);
    return location ? [{ reference, location }] : [];
  });
}

/** Nothing for what is no name: the engine refuses it, and says why better than we could. */
function locationOf(reference: string, pinned: string | undefined): ImageLocation | undefined {
  try {
    const location = parseLocation(reference);
    return pinned === undefined || location.digest ? location : { ...location, digest: pinned };
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

/** Whether a build may have the images that it builds on. */

import { allInOrder } from '../shared/concurrency/all-in-order.ts';
import { baseImages } from '../shared/dockerfile/bases.ts';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { type ImageLocation, InvalidReferenceError, parseLocation } from '../shared/registry/reference.ts';
import { BuildError } from './build-error.ts';
import type { RegistryView } from './pushed.ts';

/** What a failed build says of each. */
const codes = {
  missing: 'base-image-not-found',
  unauthorized: 'base-image-unauthorized',
  unavailable: 'base-image-unavailable',
} as const;

/**
 * Asks for every base with the build's own credentials, and answers with the digests of those that have none in
 * `spec.bases`, by their references. An engine that other organisations use as well doesn't ask: what it has under a name
 * or a digest it gives to everyone. There a base that nobody could ask for ends the build, elsewhere it is left to the
 * engine. `registryOf` answers with the account that counts for an image. Throws `BuildError` for the first base refused,
 * in the order of the Dockerfile.
 */
export async function requireBases(
  spec: Pick<BuildSpec, 'dockerfile' | 'buildArgs' | 'bases'>,
  registryOf: (base: ImageLocation) => Pick<RegistryView, 'findBase'>,
  host: 'dedicated' | 'shared',
): Promise<Record<string, string>> {
  const found = await allInOrder(
    baseLocations(spec).map(async ({ reference, location }): Promise<[string, string][]> => {
      const isKnown = Object.hasOwn(spec.bases, reference);
      const base = await registryOf(location).findBase(location);
      if (base.why === undefined) return isKnown ? [] : [[reference, base.digest]];
      if (base.why === 'unavailable' && (isKnown || host === 'dedicated')) return [];
      throw new BuildError({
        code: codes[base.why],
        message: `The build can't use the base image ${reference}: ${base.message}.`,
        lastLines: [base.message],
      });
    }),
  );
  return Object.fromEntries(found.flat());
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

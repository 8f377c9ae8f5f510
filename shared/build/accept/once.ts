/** B8: identical requests build once. */

import type { Asking } from '../../http/asking.ts';
import { busy } from '../../http/problem.ts';
import type { ImageRecord } from '../../images/record.ts';
import type { Item, Write } from '../../store/table.ts';
import type { BaseDigests } from '../bases.ts';
import { claimOf, type Holder } from '../claims.ts';
import type { BuildRecord } from '../record.ts';
import { type BuildRequest, identityOf } from '../request.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { attachedAnswer, ClaimedError, identicalBuild, imageOfBuild } from './identical.ts';
import { type NewBuild, placeBuild } from './place.ts';

interface Terms {
  unknownBases: BaseDigests['unknown'];
  force: boolean;
  /** Which image is asked for; `isSame` says whether one that was found has all else that the request says. */
  image: { uri: string; id?: string; isSame?: (image: ImageRecord) => Promise<boolean> };
}

/** The image where nothing had to be written, or the build that was placed. */
type Accepted = { image: ImageRecord; build?: undefined } | { build: BuildRecord; image?: undefined };

const attempts = 10;

/** Of warnings, and of characters of what a Dockerfile takes for a name: a timeline is for reading. */
const shownAtMost = { warnings: 10, characters: 300 };

function warningsOf(unknownBases: Terms['unknownBases']): string[] {
  const warnings = unknownBases
    .slice(0, shownAtMost.warnings)
    .map(
      ({ reference, reason }) =>
        `Slipway could not look up ${reference.slice(0, shownAtMost.characters)} (${reason}), so it can't share this build with identical ones.`,
    );
  const more = unknownBases.length - warnings.length;
  return more > 0 ? [...warnings, `Slipway could not look up ${more} more base images either.`] : warnings;
}

/**
 * Has the build placed, or finds the one that answers the request. `imageWrites` are told whether another build
 * answers it. A build of which not every base image is known by its digest is never shared, nor is one that pushes
 * nothing: it has nothing to give, and its image is wanted in the engine.
 */
export async function acceptOnce(
  dependencies: AcceptDependencies,
  asking: Asking,
  build: NewBuild & { request: BuildRequest },
  { unknownBases, force, image: wanted }: Terms,
  imageWrites: (cached: boolean) => Promise<Write[]>,
  refused: (existing: Item) => void,
): Promise<Accepted> {
  const { organisation } = asking;
  const warnings = [...(build.warnings ?? []), ...warningsOf(unknownBases)];
  const isShared = unknownBases.length === 0 && build.request.push !== false;
  const name = isShared ? claimOf(identityOf(build.request), build.uri) : undefined;
  let holder: Holder | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const found =
      name === undefined ? undefined : await identicalBuild(dependencies, organisation, name, holder);
    const identical = force || found?.build?.id === build.id ? undefined : found?.build;
    if (found && identical) {
      const image = imageOfBuild(found, wanted);
      if (image && ((await wanted.isSame?.(image)) ?? true))
        return { image: attachedAnswer(image, identical) };
    }
    try {
      const placed = await placeBuild(
        dependencies,
        asking,
        {
          ...build,
          warnings,
          forced: force,
          ...(name === undefined ? {} : { claim: { name, seen: found?.seen } }),
          ...(identical ? { attachedTo: identical } : {}),
        },
        () => imageWrites(identical !== undefined),
        refused,
      );
      return { build: placed };
    } catch (error) {
      if (!(error instanceof ClaimedError)) throw error;
      ({ holder } = error);
    }
  }
  throw busy('Too many identical builds are being accepted at the same time. Try again.');
}

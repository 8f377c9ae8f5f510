/** B8: the build that answers a request without building, and images that are answered so. */

import type { ImageRecord } from '../../images/record.ts';
import { RegistryError } from '../../registry/model.ts';
import { parseReference } from '../../registry/reference.ts';
import { type Holder, holderOf } from '../claims.ts';
import { type BuildRecord, isOver } from '../record.ts';
import type { AcceptDependencies } from './dependencies.ts';

export interface Claim {
  name: string;
  /** Who held it when it was looked at. */
  seen: string | undefined;
}

/** Somebody else's build came to hold the claim in between. */
export class ClaimedError extends Error {
  readonly holder: Holder;
  constructor(holder: Holder) {
    super('another build holds the claim');
    this.name = 'ClaimedError';
    this.holder = holder;
  }
}

/** What holds a claim (`seen`, its id), and the build and its image where it answers the claim's requests. */
export interface Identical {
  seen: string | undefined;
  build?: BuildRecord;
  image?: ImageRecord | undefined;
}

/**
 * The build that holds a claim, if it is under way or what it pushed is still there. `holder` is who is known to hold
 * it already.
 */
export async function identicalBuild(
  { table, access }: Pick<AcceptDependencies, 'table' | 'access'>,
  organisation: string,
  claim: string,
  holder?: Holder,
): Promise<Identical> {
  const { buildId: seen, imageId } = holder ?? (await holderOf(table, organisation, claim)) ?? {};
  if (seen === undefined || imageId === undefined) return { seen };
  const read = async () =>
    (await table.getAll(organisation, [
      ['builds', seen],
      ['images', imageId],
    ])) as [BuildRecord | undefined, ImageRecord | undefined];
  let [build, image] = await read();
  // Read at once, but not as of one moment, whichever came first; they end in one transaction, which is over by now.
  if (build && image && endedBetween(build, image)) [build, image] = await read();
  if (!build || (isOver(build) && build.status !== 'succeeded')) return { seen };
  // One that is about to be stopped answers nobody.
  if (!isOver(build)) return build.stopRequestedAt ? { seen } : { seen, build, image };
  const { host, repository, tag } = parseReference(build.uri);
  if (host === undefined || tag === undefined || build.digest === undefined) return { seen };
  try {
    const client = await access.clientFor(organisation, host, repository);
    const named = await client.headManifest(repository, tag);
    if (named?.digest === build.digest) return { seen, build, image };
    // The tag has gone on or away since: what is asked for under it again gets the manifest, as any other tag does.
    return (await client.headManifest(repository, build.digest)) ? { seen, build } : { seen };
  } catch (error) {
    // Nobody can say that it is still there: it is built.
    if (error instanceof RegistryError) return { seen };
    throw error;
  }
}

const endedBetween = (build: BuildRecord, image: ImageRecord) =>
  image.lastBuildId === build.id && isOver(build) === (image.activeBuildId === build.id);

/** The image as that build left it or will leave it; nothing where something came after. */
export function imageOfBuild(
  { build, image }: Identical,
  wanted: { uri: string; id?: string },
): ImageRecord | undefined {
  if (!build || !image || build.uri !== wanted.uri) return undefined;
  if (wanted.id !== undefined && wanted.id !== image.id) return undefined;
  const isLast = image.lastBuildId === build.id;
  return isLast && (image.activeBuildId === build.id || image.digest === build.digest) ? image : undefined;
}

/** What is answered: the image, with the build that was found as its own. */
export const attachedAnswer = (image: ImageRecord, { id, status }: BuildRecord): ImageRecord => ({
  ...image,
  currentBuild: { id, status, cached: true },
});

/** B8: the build that answers a request without building, and images that are answered so. */

import { findImage, type ImageRecord } from '../../images/record.ts';
import { RegistryError } from '../../registry/model.ts';
import { parseReference } from '../../registry/reference.ts';
import { holderOf } from '../claims.ts';
import { type BuildRecord, isOver } from '../record.ts';
import type { AcceptDependencies } from './dependencies.ts';

export interface Claim {
  name: string;
  /** Who held it when it was looked at. */
  seen: string | undefined;
}

/** Somebody else's build came to hold the claim in between. */
export class ClaimedError extends Error {
  constructor() {
    super('another build holds the claim');
    this.name = 'ClaimedError';
  }
}

/** The build that holds a claim, if it is under way or what it pushed is still there. */
export async function identicalBuild(
  { table, access }: Pick<AcceptDependencies, 'table' | 'access'>,
  organisation: string,
  claim: string,
): Promise<{ seen: string | undefined; build?: BuildRecord }> {
  const seen = await holderOf(table, organisation, claim);
  if (seen === undefined) return { seen };
  const build = (await table.get(organisation, 'builds', seen)) as BuildRecord | undefined;
  if (!build || (isOver(build) && build.status !== 'succeeded')) return { seen };
  // One that is about to be stopped answers nobody.
  if (!isOver(build)) return build.stopRequestedAt ? { seen } : { seen, build };
  const { host, repository } = parseReference(build.uri);
  if (host === undefined || build.digest === undefined) return { seen };
  try {
    const client = await access.clientFor(organisation, host, repository);
    return (await client.headManifest(repository, build.digest)) ? { seen, build } : { seen };
  } catch (error) {
    // Nobody can say that it is still there: it is built.
    if (error instanceof RegistryError) return { seen };
    throw error;
  }
}

/** The image as that build left it or will leave it; nothing where something came after. */
export async function imageOfBuild(
  { table }: Pick<AcceptDependencies, 'table'>,
  organisation: string,
  { id, imageId, digest, uri }: BuildRecord,
  wanted: { uri: string; id?: string },
): Promise<ImageRecord | undefined> {
  if (uri !== wanted.uri || (wanted.id !== undefined && wanted.id !== imageId)) return undefined;
  const image = await findImage(table, organisation, imageId);
  return image?.lastBuildId === id && (image.activeBuildId === id || image.digest === digest)
    ? image
    : undefined;
}

/** What is answered: the image, with the build that was found as its own. */
export const attachedAnswer = (image: ImageRecord, { id, status }: BuildRecord): ImageRecord => ({
  ...image,
  currentBuild: { id, status, cached: true },
});

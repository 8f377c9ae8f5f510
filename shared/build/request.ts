/** What a build was asked to do, with what its names stood for at that moment. Kept beside the build's record. */
import { createHash } from 'node:crypto';
import type { BuildSpec } from '../model/build-spec.ts';
import type { RecipeRequest } from '../model/dockerfile-lint.ts';
import { isIdOf } from '../model/id.ts';
import type { Item, Table } from '../store/table.ts';

export interface BuildRequest extends Item {
  /** Only the other kinds of jobs say it. */
  kind?: undefined;
  dockerfile: string;
  /** What it was generated from. */
  from?: RecipeRequest;
  contextUploadId?: string;
  /** The upload's object, exactly as it was declared. */
  context?: NonNullable<BuildSpec['context']>;
  buildArgs: Record<string, string>;
  /** Secrets of the organisation by mount id. */
  secrets: Record<string, string>;
  /** Where those secrets lie, and which of their values counts for the identity and goes to the builder. */
  secretSources: { id: string; secretArn: string; versionId: string }[];
  computes: string[];
  /** B13: it is built and not pushed. */
  push?: false;
  /** Every base image, as the Dockerfile has it. */
  references: string[];
  /**
   * Digests of base images by their references, for those that could be looked up. Of one that is being built (B14): the
   * id of the build, until that has ended.
   */
  bases: Record<string, string>;
}

export async function readRequest(
  table: Table,
  organisation: string,
  buildId: string,
): Promise<BuildRequest | undefined> {
  const request = await table.get(organisation, 'build-requests', buildId);
  // Mirrors and validations keep theirs beside it, and say so.
  return request && request.kind === undefined ? (request as BuildRequest) : undefined;
}

/** The platform that builds are made for. */
export const platform = 'linux/amd64';

/** SHA-256 over all that goes into a build. Names of values are sorted: their order means nothing. */
export function identityOf({ dockerfile, context, buildArgs, secretSources, bases }: BuildRequest): string {
  const sorted = (entries: [string, string][]) => entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    dockerfile,
    context?.sha256 ?? null,
    sorted(Object.entries(bases)),
    platform,
    sorted(Object.entries(buildArgs)),
    sorted(secretSources.map(({ id, secretArn, versionId }) => [id, `${secretArn} ${versionId}`])),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Builds that have to end before the digests of all bases are known: they stand in the place of those. */
export const awaitedIn = (bases: BuildRequest['bases']): string[] => [
  ...new Set(Object.values(bases).filter((value) => isIdOf('build', value))),
];

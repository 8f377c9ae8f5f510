/** What a build was asked to do, with what its names stood for at that moment. Kept beside the build's record. */
import { createHash } from 'node:crypto';
import type { BuildSpec } from '../model/build-spec.ts';
import { putWrite } from '../store/advance.ts';
import { absent, type Item, type Table, type Write } from '../store/table.ts';

export interface BuildRequest extends Item {
  dockerfile: string;
  contextUploadId?: string;
  /** The upload's object, exactly as it was declared. */
  context?: NonNullable<BuildSpec['context']>;
  buildArgs: Record<string, string>;
  /** Secrets of the organisation by mount id. */
  secrets: Record<string, string>;
  /** Where those secrets lie, and which version counts for the identity. */
  secretSources: { id: string; secretArn: string; version: string }[];
  computes: string[];
}

export const requestWrite = (
  table: Table,
  organisation: string,
  buildId: string,
  request: BuildRequest,
): Write => putWrite(table, { ...request, ...table.key(organisation, 'build-requests', buildId) }, absent);

export async function readRequest(
  table: Table,
  organisation: string,
  buildId: string,
): Promise<BuildRequest | undefined> {
  return (await table.get(organisation, 'build-requests', buildId)) as BuildRequest | undefined;
}

/** The platform that builds are made for. */
export const platform = 'linux/amd64';

/** SHA-256 over what is known before the build begins. Names of values are sorted: their order means nothing. */
export function identityOf({ dockerfile, context, buildArgs, secretSources }: BuildRequest): string {
  const sorted = (entries: [string, string][]) => entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    dockerfile,
    context?.sha256 ?? null,
    platform,
    sorted(Object.entries(buildArgs)),
    sorted(secretSources.map(({ id, version }) => [id, version])),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

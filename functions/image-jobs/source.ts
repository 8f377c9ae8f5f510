/** Where the image lies that a job reads. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import { parseReference } from '../../shared/registry/reference.ts';

export interface SourceImage {
  host: string;
  repository: string;
  tag: string;
}

export function sourceOf({ uri, tag }: Pick<ImageRecord, 'uri' | 'tag'>): SourceImage {
  const { host, repository } = parseReference(uri);
  if (host === undefined) throw new Error(`${uri} names no registry`);
  return { host, repository, tag };
}

/**
 * What the tag names now, as for a launch, whatever digest the table has; it exists, and for the platform that is
 * wanted. Throws what its registry says, as a problem.
 */
export async function sourceDigest(
  { access }: Pick<AcceptDependencies, 'access'>,
  organisation: string,
  { host, repository, tag }: SourceImage,
  platform?: string,
): Promise<string> {
  const pointer = platform === undefined ? '' : '/platform';
  const manifest = await registryAnswer(pointer, async () => {
    const client = await access.clientFor(organisation, host, repository);
    return client.resolveManifest(repository, tag, platform);
  });
  return manifest.digest;
}

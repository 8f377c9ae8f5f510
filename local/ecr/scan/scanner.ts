/** One basic scan: the packages of an image's own package manager against advisories. */
import { existsSync } from 'node:fs';
import type { BlobFiles } from '../blob-files.ts';
import type { StoredImage } from '../store.ts';
import { ecosystemOf, findVulnerabilities } from './advisories.ts';
import { type Layer, readDistribution } from './packages.ts';
import type { Outcome } from './store.ts';

export interface ScanSources {
  files: Pick<BlobFiles, 'read'>;
  /** Folder with advisories in the OSV format (`*.json`, at any depth); there may be none. */
  advisories: string | undefined;
}

/** ECR's own words for an image that a basic scan understands nothing of. */
const unsupported: Outcome = {
  status: 'FAILED',
  description: 'UnsupportedImageError: The operating system and/or package manager are not supported.',
  findings: [],
};

export async function scan({ files, advisories }: ScanSources, image: StoredImage): Promise<Outcome> {
  if (advisories === undefined || !existsSync(advisories))
    return {
      status: 'FINDINGS_UNAVAILABLE',
      description:
        'The embedded cloud has no advisories. Set SLIPWAY_ADVISORIES to a folder of advisories in the OSV format, and start it again.',
      findings: [],
    };
  const distribution = await readDistribution(layersOf(image, files));
  const ecosystem = distribution && ecosystemOf(distribution);
  if (!ecosystem) return unsupported;
  const findings = await findVulnerabilities(advisories, ecosystem, distribution);
  return { status: 'COMPLETE', description: 'The scan was completed successfully.', findings };
}

function* layersOf({ bytes }: StoredImage, files: Pick<BlobFiles, 'read'>): Generator<Layer> {
  const { layers } = JSON.parse(bytes.toString('utf8')) as {
    layers: { mediaType?: string; digest: string; urls?: string[] }[];
  };
  // Layers with URLs of their own (old Windows bases) are in no registry.
  for (const { mediaType = '', digest, urls } of layers)
    if (!urls?.length) yield { mediaType, bytes: files.read(digest) };
}

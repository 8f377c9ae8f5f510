/** I13: what is known to be vulnerable in an image, by scans of the deployment's own registry. */
import {
  type ImageScans,
  InvalidScanCursorError,
  type ScannedImage,
  ScanRefusedError,
} from '../../shared/aws/image-scans.ts';
import { conflict, invalid, ProblemError } from '../../shared/http/problem.ts';
import { anyImage } from '../../shared/images/find.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { Findings } from '../../shared/model/findings.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import { parseReference } from '../../shared/registry/reference.ts';
import type { Table } from '../../shared/store/table.ts';

export interface FindingsDependencies {
  table: Table;
  access: Pick<RegistryAccess, 'clientFor'>;
  scans: ImageScans;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
}

/** Throws 404, 409 (`image-not-ready`, `image-elsewhere`), and 422 for a cursor of something else. */
export async function readFindings(
  dependencies: FindingsDependencies,
  organisation: string,
  id: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Findings> {
  const image = await scannedImage(dependencies, organisation, id);
  try {
    return await dependencies.scans.read(image, page);
  } catch (error) {
    if (!(error instanceof InvalidScanCursorError)) throw error;
    throw invalid({ pointer: '?cursor', message: 'must be a cursor of this list' });
  }
}

/** Begins a scan. Throws as above, and 409 or 422 for what ECR doesn't scan (again). */
export async function startScan(
  dependencies: FindingsDependencies,
  organisation: string,
  id: string,
): Promise<Findings> {
  const image = await scannedImage(dependencies, organisation, id);
  try {
    await dependencies.scans.start(image);
  } catch (error) {
    if (!(error instanceof ScanRefusedError)) throw error;
    throw new ProblemError(error.code.startsWith('image-') ? 422 : 409, error.code, error.message);
  }
  return { status: 'scanning', findings: [] };
}

/** The image in ECR; of an index the platform that experiments run, or the first there is. */
async function scannedImage(
  dependencies: FindingsDependencies,
  organisation: string,
  id: string,
): Promise<ScannedImage> {
  const { access, ecrRegistry } = dependencies;
  const { digest, uri, status, source } = await anyImage(dependencies, organisation, id);
  const { host, repository } = parseReference(uri);
  // Those of the catalogue that lie elsewhere have no digest here, and need none to be told so.
  if (!digest && source !== 'catalogue')
    throw conflict('image-not-ready', `The image is ${status}, so ECR can't scan it yet.`);
  if (!digest || host !== ecrRegistry)
    throw conflict(
      'image-elsewhere',
      `Slipway can scan only images in the deployment's own registry, ${ecrRegistry}. Mirror this one there with POST /v1/images/${id}/mirrors.`,
    );
  return await registryAnswer('{id}', async () => {
    const client = await access.clientFor(organisation, host, repository);
    const { platformDigest } = await client.resolveManifest(repository, digest);
    return { repository, digest: platformDigest };
  });
}

/** ECR's basic scanning: started by hand, once in 24 hours for each image. */
import { AwsError, type Cloud, type JsonCall } from '../../platform.ts';
import { RequestMembers } from '../../request-members.ts';
import { indexMediaTypes } from '../manifest.ts';
import { nextPage } from '../pages.ts';
import { repositoryArn, requireRepository } from '../repositories.ts';
import type { EcrStore, StoredImage } from '../store.ts';
import { type ScanSources, scan } from './scanner.ts';
import type { Severity } from './severity.ts';
import { createScanStore, type Scan } from './store.ts';

const oncePerMs = 24 * 3_600_000;

export interface Scans {
  operations: Record<string, (call: JsonCall) => object>;
  /** Takes up the scans that a process before this one left. */
  resume(): void;
  /** Resolves when none runs any more. */
  idle(): Promise<void>;
}

export function createScans(cloud: Cloud, store: EcrStore, sources: ScanSources): Scans {
  const scans = createScanStore(cloud.db);
  const running = new Set<Promise<void>>();

  const run = async (image: StoredImage): Promise<void> => {
    const outcome = await scan(sources, image).catch((error: Error) => {
      cloud.log('ecr', `scan of ${image.repository}@${image.digest}: ${error.stack}`);
      return { status: 'FAILED' as const, description: error.message, findings: [] };
    });
    scans.end(image.repository, image.digest, outcome, cloud.now().getTime());
  };
  const start = (image: StoredImage): void => {
    const work = run(image).finally(() => running.delete(work));
    running.add(work);
  };

  const imageOf = (call: JsonCall, action: string): { input: RequestMembers; image: StoredImage } => {
    const input = new RequestMembers(call.input, 'InvalidParameterException');
    const name = input.string('repositoryName', { max: 256 });
    call.authorize(`ecr:${action}`, repositoryArn(cloud, name));
    requireRepository(cloud, store, name);
    const id = input.structure('imageId');
    const tag = id?.optionalString('imageTag');
    const digest = id?.optionalString('imageDigest') ?? (tag && store.digestOfTag(name, tag));
    const image = digest && store.image(name, digest);
    if (!image) throw missing(cloud, 'ImageNotFoundException', 'The image', name, digest, tag);
    return { input, image };
  };
  const answer = ({ repository, digest }: StoredImage, imageScanStatus: object) => ({
    registryId: cloud.accountId,
    repositoryName: repository,
    imageId: { imageDigest: digest },
    imageScanStatus,
  });
  const statusOf = ({ status, description }: Scan) => ({ status, ...(description && { description }) });

  return {
    operations: {
      StartImageScan(call) {
        const { image } = imageOf(call, 'StartImageScan');
        const { repository, digest } = image;
        if (indexMediaTypes.includes(image.mediaType))
          throw new AwsError(
            'UnsupportedImageTypeException',
            'The image is of a type that cannot be scanned.',
          );
        const now = cloud.now().getTime();
        const last = scans.find(repository, digest);
        // What could not be compared with anything was no scan.
        if (last && last.status !== 'FINDINGS_UNAVAILABLE' && now - last.startedAt < oncePerMs)
          throw new AwsError(
            'LimitExceededException',
            'The scan quota per image has been exceeded. Wait and try again.',
          );
        scans.begin(repository, digest, now);
        start(image);
        return answer(image, { status: 'IN_PROGRESS' });
      },

      DescribeImageScanFindings(call) {
        const { input, image } = imageOf(call, 'DescribeImageScanFindings');
        const found = scans.find(image.repository, image.digest);
        if (!found)
          throw missing(
            cloud,
            'ScanNotFoundException',
            'Image scan',
            image.repository,
            image.digest,
            undefined,
          );
        if (found.status !== 'COMPLETE') return answer(image, statusOf(found));
        const { items, nextToken } = nextPage(found.findings, input, 100, 1000);
        return {
          ...answer(image, statusOf(found)),
          imageScanFindings: {
            imageScanCompletedAt: found.completedAt / 1000,
            vulnerabilitySourceUpdatedAt: found.completedAt / 1000,
            findingSeverityCounts: counts(found),
            findings: items.map(({ packageName, packageVersion, ...finding }) => ({
              ...finding,
              attributes: [
                { key: 'package_version', value: packageVersion },
                { key: 'package_name', value: packageName },
              ],
            })),
          },
          ...(nextToken && { nextToken }),
        };
      },
    },
    resume() {
      for (const { repository, digest } of scans.unfinished()) {
        const image = store.image(repository, digest);
        if (image) start(image);
      }
    },
    async idle() {
      await Promise.all(running);
    },
  };
}

/** Severities that nothing was found of are left out. */
function counts({ findings }: Scan): Partial<Record<Severity, number>> {
  const found: Partial<Record<Severity, number>> = {};
  for (const { severity } of findings) found[severity] = (found[severity] ?? 0) + 1;
  return found;
}

function missing(
  cloud: Cloud,
  code: string,
  what: string,
  repository: string,
  digest: string | undefined,
  tag: string | undefined,
): AwsError {
  return new AwsError(
    code,
    `${what} with imageId {imageDigest:'${digest ?? 'null'}', imageTag:'${tag ?? 'null'}'} does not exist within the repository with name '${repository}' in the registry with id '${cloud.accountId}'`,
  );
}

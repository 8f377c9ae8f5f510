/** ECR's scans of images: basic ones that are asked for, and enhanced ones that an account may have instead. */
import {
  DescribeImageScanFindingsCommand,
  type DescribeImageScanFindingsCommandOutput,
  ECRClient,
  ImageNotFoundException,
  InvalidParameterException,
  LimitExceededException,
  ScanNotFoundException,
  StartImageScanCommand,
  UnsupportedImageTypeException,
  ValidationException,
} from '@aws-sdk/client-ecr';
import { type Finding, type Findings, type Severity, severities } from '../model/findings.ts';

/** An image of the deployment's own ECR: one platform's manifest, since indexes are not scanned. */
export interface ScannedImage {
  repository: string;
  digest: string;
}

/** Why ECR begins no scan. */
export class ScanRefusedError extends Error {
  readonly code: 'recently-scanned' | 'scanned-continuously' | 'image-not-scannable' | 'image-not-found';
  constructor(code: ScanRefusedError['code'], message: string) {
    super(message);
    this.name = 'ScanRefusedError';
    this.code = code;
  }
}

export class InvalidScanCursorError extends Error {
  override name = 'InvalidScanCursorError';
}

export interface ImageScans {
  /** The last scan. Throws `InvalidScanCursorError` for a cursor that ECR didn't give. */
  read(image: ScannedImage, page: { limit: number; cursor?: string | undefined }): Promise<Findings>;
  /** Begins one. Throws `ScanRefusedError`. */
  start(image: ScannedImage): Promise<void>;
}

const idOf = ({ repository, digest }: ScannedImage) => ({
  repositoryName: repository,
  imageId: { imageDigest: digest },
});

export function createImageScans(client: ECRClient = new ECRClient({})): ImageScans {
  return {
    async read(image, { limit, cursor }) {
      try {
        const asked = { ...idOf(image), maxResults: limit, nextToken: cursor };
        return findingsOf(await client.send(new DescribeImageScanFindingsCommand(asked)));
      } catch (error) {
        // ECR takes an image into its cache while the first pull goes on: it is soon there.
        if (error instanceof ScanNotFoundException || error instanceof ImageNotFoundException)
          return { status: 'not-scanned', findings: [] };
        if (error instanceof InvalidParameterException && cursor !== undefined)
          throw new InvalidScanCursorError(error.message);
        throw error;
      }
    },
    async start(image) {
      try {
        await client.send(new StartImageScanCommand(idOf(image)));
      } catch (error) {
        if (error instanceof LimitExceededException)
          throw new ScanRefusedError(
            'recently-scanned',
            'ECR scans an image at most once in 24 hours, and it has scanned this one. Read the findings of that scan.',
          );
        if (error instanceof ValidationException)
          throw new ScanRefusedError(
            'scanned-continuously',
            'This account uses enhanced scanning: ECR scans every image when it is pushed.',
          );
        if (error instanceof ImageNotFoundException)
          throw new ScanRefusedError('image-not-found', 'ECR does not have this image yet.');
        if (error instanceof UnsupportedImageTypeException)
          throw new ScanRefusedError('image-not-scannable', `ECR can't scan this image: ${error.message}`);
        throw error;
      }
    },
  };
}

/** Enhanced scanning never completes: ACTIVE is up to date. */
const complete = ['COMPLETE', 'ACTIVE'];
const underWay = ['IN_PROGRESS', 'PENDING'];

/** The same form for both kinds of scans. */
export function findingsOf({
  imageScanStatus: { status: known, description } = {},
  imageScanFindings: found = {},
  nextToken,
}: Pick<
  DescribeImageScanFindingsCommandOutput,
  'imageScanStatus' | 'imageScanFindings' | 'nextToken'
>): Findings {
  const status: string = known ?? '';
  if (underWay.includes(status)) return { status: 'scanning', findings: [] };
  if (!complete.includes(status))
    return { status: 'failed', reason: [status, description].filter(Boolean).join(': '), findings: [] };
  const counts = Object.fromEntries(severities.map((one) => [one, 0])) as Record<Severity, number>;
  for (const [severity, count] of Object.entries(found.findingSeverityCounts ?? {}))
    counts[severityOf(severity)] += count;
  const basic = (found.findings ?? []).map(({ name = '', severity, attributes = [], uri, description }) => {
    const attribute = (key: string) => attributes.find((one) => one.key === key)?.value ?? '';
    return {
      name,
      severity: severityOf(severity),
      package: attribute('package_name'),
      version: attribute('package_version'),
      ...textsOf(uri, description),
    };
  });
  const enhanced = (found.enhancedFindings ?? []).flatMap(
    ({ title = '', severity, description, packageVulnerabilityDetails: details = {} }) =>
      (details.vulnerablePackages ?? []).map(({ name = '', version = '', fixedInVersion }) => ({
        name: details.vulnerabilityId ?? title,
        severity: severityOf(severity),
        package: name,
        version,
        // Where there is no fix, that is what the field says.
        ...(fixedInVersion && fixedInVersion !== 'NotAvailable' ? { fixedIn: fixedInVersion } : {}),
        ...textsOf(details.sourceUrl, description),
      })),
  );
  const scannedAt = (found.imageScanCompletedAt ?? found.vulnerabilitySourceUpdatedAt)?.toISOString();
  return {
    status: 'complete',
    ...(scannedAt ? { scannedAt } : {}),
    counts,
    findings: [...basic, ...enhanced],
    ...(nextToken ? { nextCursor: nextToken } : {}),
  };
}

/** ECR's `UNDEFINED` and Inspector's `UNTRIAGED` are what nobody has judged. */
const severityOf = (text = ''): Severity => severities.find((one) => one === text.toLowerCase()) ?? 'unknown';

const textsOf = (uri?: string, description?: string): Pick<Finding, 'uri' | 'description'> => ({
  ...(uri ? { uri } : {}),
  ...(description ? { description } : {}),
});

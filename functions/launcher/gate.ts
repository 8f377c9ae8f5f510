/** I13: whether the organisation runs an image, by what scans have found in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ImageScans, type ScannedImage, ScanRefusedError } from '../../shared/aws/image-scans.ts';
import { type Findings, type LaunchGate, type Severity, severities } from '../../shared/model/findings.ts';
import { getSettings } from '../../shared/store/settings.ts';
import type { Table } from '../../shared/store/table.ts';
import { LaunchRefusedError } from './failure.ts';

export interface GateDependencies {
  table: Table;
  scans: ImageScans;
}

export interface Waiting {
  /** Told before a scan that takes a while. */
  started(): Promise<void>;
  /** Whether the launch may still wait, and is still wanted. */
  goesOn(): Promise<boolean>;
}

const askAgainMs = 2000;
/** The counts are those of all findings, whatever the page. */
const page = { limit: 1 };

/**
 * Returns where the image may run. An image without a scan is scanned now.
 * @param image undefined for one that lies where nothing is scanned
 * @throws LaunchRefusedError `vulnerabilities-found`, `image-not-scanned`
 */
export async function passGate(
  { table, scans }: GateDependencies,
  organisation: string,
  { uri, image }: { uri: string; image: ScannedImage | undefined },
  waiting: Waiting,
): Promise<void> {
  const { launchGate: gate } = (await getSettings(table, organisation)).settings;
  if (gate === 'off') return;
  const refuse = (why: string) =>
    new LaunchRefusedError(
      'image-not-scanned',
      `Your organisation runs only scanned images (launchGate is ${gate}; an admin can change it with PATCH /v1/settings). ${why}`,
    );
  if (!image)
    throw refuse(
      `${uri} is outside the deployment's own registry, so it can't be scanned. Mirror it there (POST /v1/images/{id}/mirrors) and run the copy.`,
    );
  const { status, reason, counts } = await scanned(scans, image, waiting);
  if (status === 'failed') throw refuse(`The scan of ${uri} failed: ${reason}`);
  if (status !== 'complete')
    throw refuse(
      `The scan of ${uri} is still running. Start the experiment again when GET /v1/images/{id}/findings says \`complete\`.`,
    );
  const reached = severities
    .slice(0, severities.indexOf(gate) + 1)
    .filter((severity) => (counts?.[severity] ?? 0) > 0);
  if (reached.length > 0)
    throw new LaunchRefusedError('vulnerabilities-found', message(uri, gate, reached, counts));
}

/** The last scan; where there is none, a first one, for as long as the launch may wait. */
async function scanned(scans: ImageScans, image: ScannedImage, waiting: Waiting): Promise<Findings> {
  let findings = await scans.read(image, page);
  if (findings.status === 'not-scanned') await waiting.started();
  let isBegun = false;
  while (findings.status === 'not-scanned' || findings.status === 'scanning') {
    if (findings.status === 'not-scanned' && !isBegun) {
      const answer = await begin(scans, image);
      if (typeof answer === 'object') return { status: 'failed', reason: answer.refused, findings: [] };
      isBegun = answer === 'begun';
    }
    findings = await scans.read(image, page);
    if (findings.status === 'complete' || !(await waiting.goesOn())) break;
    await sleep(askAgainMs);
  }
  return findings;
}

/** Whether a scan is under way now, is to be asked for again, or why none will ever be. */
async function begin(
  scans: ImageScans,
  image: ScannedImage,
): Promise<'begun' | 'too-early' | { refused: string }> {
  try {
    await scans.start(image);
    return 'begun';
  } catch (error) {
    if (!(error instanceof ScanRefusedError)) throw error;
    const { code } = error;
    // The cache is still taking the image in.
    if (code === 'image-not-found') return 'too-early';
    // Somebody else has begun one meanwhile, or AWS begins it by itself some time after the push.
    if (code === 'recently-scanned' || code === 'scanned-continuously') return 'begun';
    return { refused: error.message };
  }
}

const message = (uri: string, gate: LaunchGate, reached: Severity[], counts: Findings['counts']): string =>
  `${uri} has known vulnerabilities (${reached.map((one) => `${counts?.[one]} ${one}`).join(', ')}), and launchGate is ${gate}. GET /v1/images/{id}/findings lists them; an admin can change launchGate with PATCH /v1/settings.`;

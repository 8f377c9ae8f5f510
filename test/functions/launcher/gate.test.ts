/** I13: the launch gate, with images that are really scanned. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchClient, DescribeJobDefinitionsCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passGate } from '../../../functions/launcher/gate.ts';
import { type DockerRegistry, startDockerRegistry } from '../../../scripts/docker-registry.ts';
import { type ImageScans, ScanRefusedError } from '../../../shared/aws/image-scans.ts';
import type { LaunchGate } from '../../../shared/model/findings.ts';
import { settingsSchema } from '../../../shared/model/organisation.ts';
import { derivedTag } from '../../../shared/registry/entrypoint.ts';
import { experimentsPlace, type Place } from '../experiments/place.ts';
import { withLeaky, writeAdvisory } from './leaky.ts';
import { putVariants } from './variants.ts';

const advisories = mkdtempSync(join(tmpdir(), 'slipway-gate-'));
let place: Place;
let outside: DockerRegistry;
beforeAll(async () => {
  writeAdvisory(advisories, 'CVE-2026-1', 'HIGH', '2.0');
  writeAdvisory(advisories, 'CVE-2026-2', 'LOW', '3.0');
  place = await experimentsPlace({ ecr: { advisories } });
  outside = await startDockerRegistry();
});
afterAll(async () => {
  await place?.close();
  await outside?.stop();
  rmSync(advisories, { recursive: true, force: true });
});

const gate = (launchGate: LaunchGate) =>
  place.table.put('acme', 'settings', 'settings', {
    settings: settingsSchema.parse({ launchGate }),
    version: 1,
  });
const run = async (image: string) => {
  const { id } = await place.create({ image, command: ['echo', 'ran'] });
  const { status, statusReason } = await place.over(id);
  return { id, status, ...statusReason };
};

describe('I13 the launch gate', () => {
  it('scans what was never scanned, and refuses what reaches it, with the numbers', async () => {
    const image = await place.publish('old', withLeaky('1.0'));
    await gate('high');
    const refused = await run(image);
    expect(refused).toMatchObject({
      status: 'failed',
      code: 'vulnerabilities-found',
      message: `${image} has known vulnerabilities (1 high), and launchGate is high. GET /v1/images/{id}/findings lists them; an admin can change launchGate with PATCH /v1/settings.`,
    });
    expect(await place.codes(refused.id)).toContain('image-scanning');
    await gate('critical');
    const { id, status } = await run(image);
    expect(status).toBe('succeeded');
    expect(await place.codes(id)).not.toContain('image-scanning');
  });

  it('lets pass what is mended, up to the severity', async () => {
    const image = await place.publish('mended', withLeaky('2.0'));
    await gate('medium');
    expect(await run(image)).toMatchObject({ status: 'succeeded' });
    await gate('low');
    expect(await run(image)).toMatchObject({ code: 'vulnerabilities-found' });
  });

  it('scans the image itself where it runs without its ENTRYPOINT', async () => {
    const image = await place.publish('entry', [...withLeaky('1.0'), 'ENTRYPOINT ["/bin/true"]']);
    await gate('high');
    expect(await run(image)).toMatchObject({
      code: 'vulnerabilities-found',
      message: expect.stringContaining(image),
    });
  });

  it('lets run of an index the very image that was judged, whatever a host would choose', async () => {
    const { registryHost } = place.cloud;
    const digests = await putVariants(
      await place.launcher.ownEcr(),
      'acme/variants',
      (instructions) => place.publish('variants', instructions),
      [...withLeaky('2.0'), 'RUN echo judged >/which'],
      [...withLeaky('1.0'), 'RUN echo another >/which'],
    );
    await gate('high');
    const image = `${registryHost}/acme/variants:1`;
    const { id } = await place.create({ image, command: ['cat', '/which'] });
    const record = await place.over(id);
    expect(record).toMatchObject({ status: 'succeeded', image: { uri: image, digest: digests.index } });
    expect(record.image.pulledFrom).toBeUndefined();
    expect(await place.lines(id)).toEqual(['judged']);
    const batch = new BatchClient(place.cloud.client());
    const { jobDefinitions } = await batch.send(
      new DescribeJobDefinitionsCommand({ jobDefinitions: [record.jobDefinition ?? ''] }),
    );
    expect(jobDefinitions?.[0]?.containerProperties?.image).toBe(
      `${registryHost}/acme/variants@${digests.plain}`,
    );
  });

  it('takes nothing else for the image without its ENTRYPOINT, whatever has got its tag', async () => {
    const own = await place.launcher.ownEcr();
    const entrypoint = 'ENTRYPOINT ["/bin/true"]';
    const image = await place.publish('moved', [...withLeaky('2.0'), 'RUN echo judged >/which', entrypoint]);
    const judged = await own.getManifest('acme/moved', '1');
    await place.publish('moved', [...withLeaky('1.0'), 'RUN echo another >/which']);
    const { mediaType, body } = await own.getManifest('acme/moved', '1');
    await own.putManifest('acme/moved', derivedTag(judged.digest), mediaType, body);
    await own.putManifest('acme/moved', '1', judged.mediaType, judged.body);
    await gate('high');
    const { id } = await place.create({ image, command: ['cat', '/which'] });
    expect(await place.over(id)).toMatchObject({ status: 'succeeded' });
    expect(await place.lines(id)).toEqual(['judged']);
  });

  it('of two launches at once, one begins the scan and both judge by it', async () => {
    const image = await place.publish('twice', withLeaky('1.5'));
    await gate('high');
    expect((await Promise.all([run(image), run(image)])).map(({ code }) => code)).toEqual([
      'vulnerabilities-found',
      'vulnerabilities-found',
    ]);
  });

  it('refuses what a scan understands nothing of, and what lies outside, and says what to do', async () => {
    const image = await place.publish('bare');
    await gate('critical');
    expect(await run(image)).toMatchObject({
      code: 'image-not-scanned',
      message: expect.stringMatching(
        /launchGate is critical; .* PATCH \/v1\/settings.*UnsupportedImageError/,
      ),
    });
    const elsewhere = `${outside.host}/lab/elsewhere:1`;
    await place.publishTo(outside.host, 'lab/elsewhere', withLeaky('9'));
    expect(await run(elsewhere)).toMatchObject({
      code: 'image-not-scanned',
      message: expect.stringContaining('/mirrors'),
    });
    await gate('off');
    expect(await run(elsewhere)).toMatchObject({ status: 'succeeded' });
  });

  it('waits for an image that ECR is still taking into its cache, and gives up when the launch has no time left', async () => {
    await gate('high');
    let calls = 0;
    const arriving = (after: number): ImageScans => ({
      read: async () =>
        calls++ < after ? { status: 'not-scanned', findings: [] } : { status: 'complete', findings: [] },
      start: async () => {
        if (calls < after)
          throw new ScanRefusedError('image-not-found', 'ECR does not have this image, or not yet.');
      },
    });
    const pass = (after: number, patience: number) =>
      passGate(
        { table: place.table, scans: arriving(after) },
        'acme',
        { uri: 'quay.io/lab/any:1', image: { repository: 'any', digest: 'any' } },
        { started: async () => {}, goesOn: async () => patience-- > 0 },
      );
    await pass(2, 5);
    calls = 0;
    await expect(pass(5, 1)).rejects.toMatchObject({ code: 'image-not-scanned' });
  });

  it.each([
    ['begun here', undefined],
    [
      'that AWS begins by itself where the account has enhanced scanning',
      new ScanRefusedError('scanned-continuously', 'This account has enhanced scanning.'),
    ],
  ])('waits for a scan %s, which is asked for only once', async (_, refusal) => {
    await gate('high');
    let reads = 0;
    let starts = 0;
    const late: ImageScans = {
      read: async () =>
        reads++ < 2 ? { status: 'not-scanned', findings: [] } : { status: 'complete', findings: [] },
      start: async () => {
        starts++;
        if (refusal) throw refusal;
      },
    };
    await passGate(
      { table: place.table, scans: late },
      'acme',
      { uri: 'any/pushed:1', image: { repository: 'any', digest: 'any' } },
      { started: async () => {}, goesOn: async () => reads < 10 },
    );
    expect({ reads, starts }).toEqual({ reads: 3, starts: 1 });
  });

  it('that is off asks nothing', async () => {
    const image = await place.publish('unasked', withLeaky('1.0'));
    await gate('off');
    const { id, status } = await run(image);
    expect(status).toBe('succeeded');
    expect(await place.codes(id)).not.toContain('image-scanning');
  });
});

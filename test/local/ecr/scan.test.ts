/** I13: scans read what is installed from an image's layers, as the package manager in it left it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DescribeImageScanFindingsCommand, StartImageScanCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baseScore } from '../../../local/ecr/scan/severity.ts';
import { acmeRole, ecrPlace, indexType, manifestType } from './place.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-advisories-'));
let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace(undefined, { advisories: folder });
  await place.create('acme/app');
  advisory('CVE-2026-1', 'Debian:12', 'openssl', [{ introduced: '0' }, { fixed: '3.0.15-1~deb12u1' }], {
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    references: [{ type: 'ADVISORY', url: 'https://security.example/CVE-2026-1' }],
  });
  advisory('DSA-1', 'Debian:12', 'zlib', [{ introduced: '0' }, { fixed: '1:1.2.13-1' }], {
    aliases: ['CVE-2026-2'],
  });
  advisory('CVE-2026-3', 'Debian:12', 'nginx', [{ introduced: '0' }]);
  advisory('CVE-2026-4', 'Debian:11', 'openssl', [{ introduced: '0' }]);
  advisory('CVE-2026-5', 'Debian:12', 'bash', [{ introduced: '5.2' }, { last_affected: '5.2.15-2' }], {
    ecosystem: { urgency: 'low' },
  });
  advisory('CVE-2026-6', 'Alpine:v3.20', 'musl', [{ introduced: '0' }, { fixed: '1.2.5-r1' }], {
    database: { severity: 'HIGH' },
  });
  advisory('CVE-2026-7', 'Debian:12', 'bash', [{ introduced: '0' }], { withdrawn: '2026-01-01T00:00:00Z' });
});
afterAll(async () => {
  await place.cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

function advisory(
  id: string,
  ecosystem: string,
  name: string,
  events: object[],
  more: { ecosystem?: object; database?: object; [field: string]: unknown } = {},
): void {
  const { ecosystem: ecosystem_specific, database: database_specific, ...fields } = more;
  const affected = [
    { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events }], ecosystem_specific },
  ];
  const path = join(folder, ecosystem.replace(':', '-'), `${id}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ id, summary: `About ${id}`, affected, database_specific, ...fields }));
}

/** A tar archive as `tar` makes it. */
function archive(files: Record<string, string>): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'slipway-layer-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const bytes = execFileSync('tar', ['-C', root, '--format=pax', '-cf', '-', '.']);
  rmSync(root, { recursive: true });
  return bytes;
}

const release = (id: string, version: string) => `NAME="Any"\nVERSION_ID="${version}"\nID=${id}\n`;
const stanza = (name: string, version: string, more = '', status = 'install ok installed') =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\n${more}Version: ${version}\nDescription: any\n more\n`;

let pushed = 0;
/** Pushes an image of these layers, the lowest first; answers its digest. */
async function image(...layers: { bytes: Buffer; type?: string }[]): Promise<string> {
  const config = await place.pushBlob('acme/app', `{"n":${pushed++}}`);
  const described = [];
  for (const { bytes, type = 'tar' } of layers)
    described.push({
      mediaType: `application/vnd.oci.image.layer.v1.${type}`,
      digest: await place.pushBlob('acme/app', bytes),
      size: bytes.length,
    });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
    layers: described,
  });
  const answer = await place.putManifest('acme/app', `v${pushed}`, manifest);
  return answer.headers.get('docker-content-digest') ?? '';
}

const start = (imageDigest: string) =>
  place.client.send(new StartImageScanCommand({ repositoryName: 'acme/app', imageId: { imageDigest } }));
const describeFindings = (imageDigest: string, more = {}) =>
  place.client.send(
    new DescribeImageScanFindingsCommand({ repositoryName: 'acme/app', imageId: { imageDigest }, ...more }),
  );

async function scanned(imageDigest: string) {
  const begun = await start(imageDigest);
  expect(begun.imageScanStatus).toEqual({ status: 'IN_PROGRESS' });
  await expect
    .poll(async () => (await describeFindings(imageDigest)).imageScanStatus?.status)
    .not.toBe('IN_PROGRESS');
  return await describeFindings(imageDigest);
}

const names = ({ imageScanFindings }: Awaited<ReturnType<typeof scanned>>) =>
  imageScanFindings?.findings?.map(({ name, severity, attributes = [] }) =>
    [name, severity, ...attributes.map(({ value }) => value)].join(' '),
  );

describe('I13 scans', () => {
  it('find what concerns an installed source package of that release, whatever the layer is packed with', async () => {
    const base = archive({
      'usr/lib/os-release': release('debian', '12'),
      'var/lib/dpkg/status': [
        stanza('libssl3', '3.0.14-1~deb12u2', 'Source: openssl\n'),
        stanza('openssl', '3.0.14-1~deb12u2'),
        stanza('zlib1g', '1:1.2.13.dfsg-1', 'Source: zlib\n'),
        stanza('bash', '5.2.15-2+b7', 'Source: bash (5.2.15-2)\n'),
        stanza('nginx', '1.22.1-9', '', 'deinstall ok config-files'),
      ].join('\n'),
    });
    for (const layer of [
      { bytes: base },
      { bytes: gzipSync(base), type: 'tar+gzip' },
      { bytes: zstdCompressSync(base), type: 'tar+zstd' },
    ]) {
      const found = await scanned(await image(layer));
      expect(found.imageScanStatus?.status).toBe('COMPLETE');
      expect(names(found)).toEqual([
        'CVE-2026-1 CRITICAL 3.0.14-1~deb12u2 openssl',
        'CVE-2026-5 LOW 5.2.15-2 bash',
      ]);
      expect(found.imageScanFindings?.findingSeverityCounts).toEqual({ CRITICAL: 1, LOW: 1 });
      expect(found.imageScanFindings?.findings?.[0]).toMatchObject({
        description: 'About CVE-2026-1',
        uri: 'https://security.example/CVE-2026-1',
      });
    }
  });

  it('see the image that its layers make: upgrades, removals and whiteouts', async () => {
    const base = archive({
      'etc/os-release': release('debian', '12'),
      'var/lib/dpkg/status': stanza('openssl', '3.0.14-1'),
      'var/lib/dpkg/status.d/bash': 'Package: bash\nVersion: 5.2.15-2\n',
    });
    const upgraded = archive({ 'var/lib/dpkg/status': stanza('openssl', '3.0.15-1~deb12u1') });
    const withoutBash = archive({ 'var/lib/dpkg/status.d/.wh.bash': '' });
    const opaque = archive({
      'var/lib/dpkg/.wh..wh..opq': '',
      'var/lib/dpkg/status': stanza('zlib', '1:1.0-1'),
    });
    expect(names(await scanned(await image({ bytes: base }, { bytes: upgraded })))).toEqual([
      'CVE-2026-5 LOW 5.2.15-2 bash',
    ]);
    expect(names(await scanned(await image({ bytes: base }, { bytes: withoutBash })))).toEqual([
      'CVE-2026-1 CRITICAL 3.0.14-1 openssl',
    ]);
    expect(names(await scanned(await image({ bytes: base }, { bytes: opaque })))).toEqual([
      'CVE-2026-2 UNDEFINED 1:1.0-1 zlib',
    ]);
  });

  it("read Alpine's database too", async () => {
    const layer = archive({
      'etc/os-release': 'ID=alpine\nVERSION_ID=3.20.3\n',
      'lib/apk/db/installed': 'C:Q1=\nP:musl-utils\nV:1.2.5-r0\no:musl\n\nC:Q1=\nP:busybox\nV:1.36.1-r29\n\n',
    });
    expect(names(await scanned(await image({ bytes: layer })))).toEqual(['CVE-2026-6 HIGH 1.2.5-r0 musl']);
  });

  it('of an image without a known distribution fail in ECR’s words', async () => {
    const found = await scanned(await image({ bytes: archive({ 'bin/sh': 'x' }) }));
    expect(found.imageScanStatus).toEqual({
      status: 'FAILED',
      description: 'UnsupportedImageError: The operating system and/or package manager are not supported.',
    });
    expect(found.imageScanFindings).toBeUndefined();
  });

  it('are one in 24 hours for an image, of images only, by who may', async () => {
    const layer = {
      bytes: archive({ 'etc/os-release': release('debian', '12'), 'var/lib/dpkg/status': '' }),
    };
    const digest = await image(layer);
    await expect(describeFindings(digest)).rejects.toMatchObject({ name: 'ScanNotFoundException' });
    await scanned(digest);
    await expect(start(digest)).rejects.toMatchObject({ name: 'LimitExceededException' });
    place.cloud.db.exec('UPDATE ecr_scans SET started_at = started_at - 24 * 3600000');
    await scanned(digest);
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    const answer = await place.putManifest('acme/app', 'index', index, indexType);
    const ofIndex = answer.headers.get('docker-content-digest') ?? '';
    await expect(start(ofIndex)).rejects.toMatchObject({ name: 'UnsupportedImageTypeException' });
    await expect(start(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({ name: 'ImageNotFoundException' });
    place.cloud.denied.add(`${acmeRole} ecr:StartImageScan`);
    await expect(start(await image(layer))).rejects.toMatchObject({ name: 'AccessDeniedException' });
    place.cloud.denied.clear();
  });

  it('that a killed cloud had begun are done at the next start', async () => {
    const layer = archive({
      'etc/os-release': release('debian', '12'),
      'var/lib/dpkg/status': stanza('zlib', '1'),
    });
    const digest = await image({ bytes: layer });
    place.cloud.db
      .prepare("INSERT INTO ecr_scans VALUES ('acme/app', ?, 'IN_PROGRESS', '', ?, 0, '[]')")
      .run(digest, Date.now());
    await place.ecr.start?.();
    await expect.poll(async () => (await describeFindings(digest)).imageScanStatus?.status).toBe('COMPLETE');
    expect(names(await describeFindings(digest))).toEqual(['CVE-2026-2 UNDEFINED 1 zlib']);
  });

  it('come in pages', async () => {
    const packages = [stanza('openssl', '1'), stanza('zlib', '1'), stanza('bash', '5.2')].join('\n');
    const layer = archive({ 'etc/os-release': release('debian', '12'), 'var/lib/dpkg/status': packages });
    const digest = await image({ bytes: layer });
    await scanned(digest);
    const first = await describeFindings(digest, { maxResults: 2 });
    const second = await describeFindings(digest, { maxResults: 2, nextToken: first.nextToken });
    expect([...(names(first) ?? []), ...(names(second) ?? [])].map((one) => one.split(' ')[0])).toEqual([
      'CVE-2026-1',
      'CVE-2026-5',
      'CVE-2026-2',
    ]);
    expect(second.nextToken).toBeUndefined();
    expect(second.imageScanFindings?.findingSeverityCounts).toEqual({ CRITICAL: 1, LOW: 1, UNDEFINED: 1 });
  });

  it('say so where there are no advisories, and then are none that counts', async () => {
    const without = await ecrPlace();
    await without.create('acme/app');
    const digest = await without.pushImage('acme/app', 'v1', 'x');
    const ask = { repositoryName: 'acme/app', imageId: { imageDigest: digest } };
    for (let times = 0; times < 2; times++) {
      await without.client.send(new StartImageScanCommand(ask));
      await expect
        .poll(
          async () => (await without.client.send(new DescribeImageScanFindingsCommand(ask))).imageScanStatus,
        )
        .toMatchObject({
          status: 'FINDINGS_UNAVAILABLE',
          description: expect.stringContaining('SLIPWAY_ADVISORIES'),
        });
    }
    await without.cloud.close();
  });
});

it.each([
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
  ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H', 5.5],
  ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N', 4.7],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5],
  ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N', 1.6],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ['CVSS:4.0/AV:N', undefined],
])('I13 the base score of %s is %s', (vector, score) => {
  expect(baseScore(vector)).toBe(score);
});

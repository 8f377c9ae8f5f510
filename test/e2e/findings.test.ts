/** I13: what is known of an image that was built here, by a real scan of its packages, and what a launch makes of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { adminToken } from './admin.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const leaky = unique('leaky');

let elsewhere: DockerRegistry;
let settings: Json;
beforeAll(async () => {
  elsewhere = await startDockerRegistry();
  settings = await api.read('/v1/settings');
  await advisory('CVE-2026-1001', leaky, '1.2.3-2', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N');
  await advisory('CVE-2026-1002', leaky, '2.0', 'CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N');
  await advisory('CVE-2026-1003', leaky, '1.2.3-1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H');
  await advisory(
    'CVE-2026-1004',
    `${leaky}-not-installed`,
    '9',
    'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  );
});
afterAll(async () => {
  if (settings) await api.call('PUT', '/v1/settings', settings);
  await elsewhere?.stop();
});

/** In the OSV format, as Debian's are. */
async function advisory(id: string, name: string, fixed: string, score: string): Promise<void> {
  const document = {
    id: `DEBIAN-${id}`,
    upstream: [id],
    details: `Reads too far in ${name}.`,
    severity: [{ type: 'CVSS_V3', score }],
    references: [{ type: 'ADVISORY', url: `https://security-tracker.debian.org/tracker/${id}` }],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
  };
  await writeFile(join(inject('advisories'), `${id}-${name}.json`), JSON.stringify(document));
}

/** Builds an image as a user does, in which dpkg says that 1.2.3-1 is installed; answers it when it is ready. */
async function build(repository: string): Promise<Json> {
  const dockerfile = [
    `FROM ${tinyBase}`,
    String.raw`RUN mkdir -p /var/lib/dpkg && printf 'ID=debian\nVERSION_ID="12"\n' > /etc/os-release`,
    String.raw`RUN printf 'Package: lib${leaky}1\nStatus: install ok installed\nSource: ${leaky}\nVersion: 1.2.3-1\n' > /var/lib/dpkg/status`,
  ].join('\n');
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile },
    registryId: 'reg_private',
    repository,
    tag: 'v1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const done = await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
  expect(done.status, JSON.stringify(done.failure)).toBe('succeeded');
  return api.read(`/v1/images/${reply.body.id}`);
}

async function launch(image: string): Promise<Json> {
  const reply = await api.post('/v1/experiments', { image, command: ['echo', 'ran'], compute: 'cpu-small' });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return api.until(`/v1/experiments/${reply.body.id}`, settled);
}

it('I13 an image is scanned, its findings are listed by severity, and the launch gate goes by them', async () => {
  const image = await build(unique('leaky'));
  const path = `/v1/images/${image.id}/findings`;
  expect(await api.read(path)).toEqual({ status: 'not-scanned', findings: [] });
  const begun = await api.post(path);
  expect(begun).toMatchObject({ status: 202, body: { status: 'scanning' } });
  expect(begun.headers.get('location')).toBe(path);

  const found = await api.until(path, ({ status }) => status !== 'scanning');
  const finding = (name: string, severity: string) => ({
    name,
    severity,
    package: leaky,
    version: '1.2.3-1',
    description: `Reads too far in ${leaky}.`,
    uri: `https://security-tracker.debian.org/tracker/${name}`,
  });
  expect(found).toEqual({
    status: 'complete',
    scannedAt: expect.stringMatching(/^20.*Z$/),
    counts: { critical: 0, high: 1, medium: 0, low: 1, informational: 0, unknown: 0 },
    findings: [finding('CVE-2026-1001', 'high'), finding('CVE-2026-1002', 'low')],
  });
  const first = await api.read(`${path}?limit=1`);
  const second = await api.read(`${path}?limit=1&cursor=${encodeURIComponent(first.nextCursor)}`);
  expect([...first.findings, ...second.findings]).toEqual(found.findings);
  expect(second.nextCursor).toBeUndefined();
  expect((await api.get(`${path}?cursor=nonsense`)).body).toMatchObject({ errors: [{ pointer: '?cursor' }] });
  expect(await api.post(path)).toMatchObject({
    status: 409,
    body: { type: 'urn:slipway:problem:recently-scanned' },
  });

  await api.call('PUT', '/v1/settings', { ...settings, launchGate: 'high' });
  expect(await launch(image.uri)).toMatchObject({
    status: 'failed',
    statusReason: {
      code: 'vulnerabilities-found',
      message: expect.stringContaining('known vulnerabilities (1 high), and launchGate is high'),
    },
  });
  await api.call('PUT', '/v1/settings', { ...settings, launchGate: 'critical' });
  expect(await launch(image.uri)).toMatchObject({ status: 'succeeded' });
  await api.call('PUT', '/v1/settings', settings);
});

it('I13 a launch scans what was never scanned, and refuses what cannot be', async () => {
  const image = await build(unique('unscanned'));
  await api.call('PUT', '/v1/settings', { ...settings, launchGate: 'low' });
  const refused = await launch(image.uri);
  expect(refused.statusReason).toMatchObject({
    code: 'vulnerabilities-found',
    message: expect.stringContaining('(1 high, 1 low)'),
  });
  const { items } = await api.read(`/v1/experiments/${refused.id}/events`);
  expect(items.map(({ code }: Json) => code)).toContain('image-scanning');
  expect(await api.read(`/v1/images/${image.id}/findings`)).toMatchObject({ status: 'complete' });
  expect((await launch(tinyBase)).statusReason).toMatchObject({
    code: 'image-not-scanned',
    message: expect.stringContaining('UnsupportedImageError'),
  });
  await api.call('PUT', '/v1/settings', settings);
});

it('I13 an image elsewhere has no findings here: it is to be mirrored; others see none of it', async () => {
  await new SmallImages(elsewhere.host).image('lab/tool', 'v1', 'tool');
  const added = await api.post('/v1/images', {
    source: { type: 'reference', url: `${elsewhere.host}/lab/tool:v1` },
  });
  expect(added.status, JSON.stringify(added.body)).toBe(201);
  const path = `/v1/images/${added.body.id}/findings`;
  for (const reply of [await api.get(path), await api.post(path)])
    expect(reply).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:image-elsewhere', detail: expect.stringContaining('/mirrors') },
    });
  const globex = apiOf(cloud.apiUrl, await adminToken(cloud, 'globex'));
  expect((await globex.get(path)).status).toBe(404);
});

/** The guide to registries, images and builds, typed as a person would, behind the README's session that it goes on with. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { blocksOf, firstSession, needsMore, typed } from './typed-guides.ts';

// Something to be found by a scan: Python brings OpenSSL along, whatever the distribution.
const advisory = join(inject('advisories'), 'CVE-2026-1001.json');
const openssl = {
  id: 'DEBIAN-CVE-2026-1001',
  upstream: ['CVE-2026-1001'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N' }],
  affected: ['Debian', 'Ubuntu'].map((ecosystem) => ({
    package: { ecosystem, name: 'openssl' },
    ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
  })),
};
beforeAll(() => writeFile(advisory, JSON.stringify(openssl)));
afterAll(() => rm(advisory, { force: true }));

it('the guide to registries, images and builds does what it says', async () => {
  const guide = await blocksOf('docs/images.md');
  expect(guide.length).toBeGreaterThan(25);
  expect(guide.flatMap(({ forms }) => forms).length).toBeGreaterThan(60);
  // Packages of the Internet, and registries at a host that is nobody's.
  expect(guide.filter(needsMore).map(({ heading }) => heading)).toEqual([
    'A Dockerfile from a list of packages',
    'Private base images',
  ]);
  const session = await firstSession();
  const built = session.findIndex(({ commands }) => commands.startsWith('follow() {'));
  // No more of the session than the guide goes on with: what it makes further down is another test's.
  const shownBelow = await typed([
    ...session.slice(0, built + 1),
    ...guide.filter((block) => !needsMore(block)),
  ]);
  expect(shownBelow('An image to begin with')).toMatch(
    /^img_kubeflow-jupyter-pytorch docker\.io\/\S+:v\S+$/m,
  );
  expect(shownBelow('Finding images')).toMatch(/^\S+:\S+ (?:pending|ready|failed)$/m);
  expect(shownBelow('Inspect')).toMatch(/^\d+ sha256:[0-9a-f]{64}$/m);
  expect(shownBelow('Inspect')).toMatch(/^(?:(?:docker-schema-[12]|docker-list|oci|oci-index) ?)+$/m);
  expect(shownBelow('Known vulnerabilities')).toMatch(/^high CVE-2026-1001 openssl \S+$/m);
  const named = shownBelow('What a name means');
  expect(named).toContain('Your organisation has no image hello:v9 (it has hello with the tag v1)');
  expect(shownBelow("When credentials don't work")).toMatch(
    /registry-check-failed registry\.invalid does not resolve to an address/,
  );
  const points = shownBelow('Check a notebook image').match(/^\S+ (?:true|false) .+$/gm);
  expect(points).toHaveLength(6);
  expect(points?.filter((point) => point.includes(' false '))).toEqual([
    expect.stringMatching(/^cors false /),
  ]);
  expect(shownBelow('What an image can do')).toMatch(/^serving false .*flask, gunicorn$/m);
});

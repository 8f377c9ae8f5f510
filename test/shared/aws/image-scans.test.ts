/** I13: both kinds of ECR's scans, in one form. What basic scans answer is tested on the engine; enhanced ones are AWS's. */
import { expect, it } from 'vitest';
import { findingsOf } from '../../../shared/aws/image-scans.ts';

const zeros = { critical: 0, high: 0, medium: 0, low: 0, informational: 0, unknown: 0 };

it('I13 enhanced findings: a line for each package, with the version that mends it', () => {
  const found = findingsOf({
    imageScanStatus: { status: 'ACTIVE', description: 'Continuous scan is selected for image.' },
    imageScanFindings: {
      vulnerabilitySourceUpdatedAt: new Date('2026-11-20T01:02:03Z'),
      findingSeverityCounts: { CRITICAL: 1, UNDEFINED: 2 },
      enhancedFindings: [
        {
          title: 'CVE-2026-1 - openssl, libssl3',
          severity: 'CRITICAL',
          description: 'Overflow',
          packageVulnerabilityDetails: {
            vulnerabilityId: 'CVE-2026-1',
            sourceUrl: 'https://security.example/CVE-2026-1',
            vulnerablePackages: [
              { name: 'openssl', version: '3.0.14', fixedInVersion: '3.0.15' },
              { name: 'libssl3', version: '3.0.14', fixedInVersion: 'NotAvailable' },
            ],
          },
        },
        {
          title: 'CVE-2026-2',
          severity: 'UNTRIAGED',
          packageVulnerabilityDetails: { vulnerablePackages: [{}] },
        },
      ],
    },
    nextToken: 'more',
  });
  const common = { description: 'Overflow', uri: 'https://security.example/CVE-2026-1' };
  const openssl = { name: 'CVE-2026-1', severity: 'critical', version: '3.0.14', ...common };
  expect(found).toEqual({
    status: 'complete',
    scannedAt: '2026-11-20T01:02:03.000Z',
    counts: { ...zeros, critical: 1, unknown: 2 },
    findings: [
      { ...openssl, package: 'openssl', fixedIn: '3.0.15' },
      { ...openssl, package: 'libssl3' },
      { name: 'CVE-2026-2', severity: 'unknown', package: '', version: '' },
    ],
    nextCursor: 'more',
  });
});

it.each([
  ['IN_PROGRESS', { status: 'scanning', findings: [] }],
  ['PENDING', { status: 'scanning', findings: [] }],
  ['COMPLETE', { status: 'complete', counts: zeros, findings: [] }],
  ['FAILED', { status: 'failed', reason: 'FAILED: because', findings: [] }],
  ['UNSUPPORTED_IMAGE', { status: 'failed', reason: 'UNSUPPORTED_IMAGE: because', findings: [] }],
  [
    'SCAN_ELIGIBILITY_EXPIRED',
    { status: 'failed', reason: 'SCAN_ELIGIBILITY_EXPIRED: because', findings: [] },
  ],
] as const)('I13 %s', (status, findings) => {
  expect(findingsOf({ imageScanStatus: { status, description: 'because' } })).toEqual(findings);
});

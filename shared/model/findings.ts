/** Known vulnerabilities of an image (I13), as a scan of the deployment's own registry finds them. */
import * as z from 'zod';
import { numberParameter, timestamp } from './common.ts';

/** The worst first. */
export const severities = ['critical', 'high', 'medium', 'low', 'informational', 'unknown'] as const;
const severitySchema = z.enum(severities).meta({ id: 'Severity' });
export type Severity = (typeof severities)[number];

/** From which severity on an image is not run. */
export const launchGates = ['off', 'critical', 'high', 'medium', 'low'] as const;
export const launchGateSchema = z.enum(launchGates).meta({ id: 'LaunchGate' });
export type LaunchGate = (typeof launchGates)[number];

export const findingsQuery = z.lazy(() =>
  z.strictObject({
    limit: numberParameter(z.int().min(1).max(100)).prefault(50),
    cursor: z.string().min(1).max(4096).optional(),
  }),
);

const count = z.int().nonnegative();

export const findingsSchema = z.lazy(() =>
  z
    .object({
      status: z.enum(['not-scanned', 'scanning', 'complete', 'failed']).meta({ id: 'ScanStatus' }),
      reason: z.string().optional().meta({ description: 'Why the scan failed, as ECR reports it.' }),
      scannedAt: timestamp.optional(),
      counts: z.record(severitySchema, count).meta({ id: 'FindingCounts' }).optional().meta({
        description: 'How many findings of each severity the whole list has. Only a complete scan has it.',
      }),
      findings: z.array(
        z
          .object({
            name: z.string().meta({ example: 'CVE-2026-12345' }),
            severity: severitySchema,
            package: z.string(),
            version: z.string().meta({ description: 'The installed version.' }),
            fixedIn: z.string().optional().meta({
              description: 'The version that fixes the vulnerability. Only enhanced scanning reports it.',
            }),
            uri: z.string().optional(),
            description: z.string().optional(),
          })
          .meta({ id: 'Finding' }),
      ),
      nextCursor: z.string().optional(),
    })
    .meta({ id: 'Findings' }),
);
export type Findings = z.infer<typeof findingsSchema>;
export type Finding = Findings['findings'][number];

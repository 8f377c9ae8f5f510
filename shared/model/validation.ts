/** Checks of an image that is really started (I10, I11): what may be asked for and what is answered. */
import * as z from 'zod';
import { jobKinds, runtimes, tools } from './capabilities.ts';
import { timestamp } from './common.ts';
import { idSchema } from './id.ts';

export const validationChecks = ['notebook', 'capabilities'] as const;
export type ValidationCheck = (typeof validationChecks)[number];

/** Points of Kubeflow's contract of notebook images. */
export const notebookPoints = [
  'empty-home',
  'http-prefix',
  'cors',
  'user-name',
  'user-id',
  'user-home',
] as const;
export type NotebookPoint = (typeof notebookPoints)[number];

export const newValidationSchema = z.lazy(() =>
  z
    .strictObject({
      checks: z
        .array(z.enum(validationChecks).meta({ id: 'ValidationCheck' }))
        .min(1)
        .max(2)
        .optional()
        .meta({ description: 'Default: both.' }),
    })
    .meta({ id: 'NewValidation' }),
);

const notebookResult = z.lazy(() =>
  z
    .object({
      passed: z.boolean(),
      points: z.array(
        z
          .object({
            code: z.enum(notebookPoints).meta({ id: 'NotebookPointCode' }),
            passed: z.boolean(),
            evidence: z.string().meta({ example: 'GET /notebook/acme/check/ answered 200 after 0.8 s' }),
          })
          .meta({ id: 'NotebookPoint' }),
      ),
    })
    .meta({ id: 'NotebookResult' }),
);
export type NotebookResult = z.infer<typeof notebookResult>;

const versions = <K extends string>(
  id: string,
  names: readonly [K, ...K[]],
  example: Partial<Record<K, string>>,
) => z.partialRecord(z.enum(names), z.string()).meta({ id, example });

const capabilitiesResult = z.lazy(() =>
  z
    .object({
      shell: z.boolean().meta({
        description: 'Whether the image has a `/bin/sh`. Without one, Slipway cannot check anything else.',
      }),
      runtimes: versions('RuntimeVersions', runtimes, { python: '3.13.1' }),
      tools: versions('ToolVersions', tools, { pip: '24.3.1', tar: '1.35' }),
      packages: z.record(z.string(), z.string()).meta({
        id: 'PackageVersions',
        description: 'Versions of the packages that some kinds of jobs need.',
        example: { flask: '3.1.0' },
      }),
      cuda: z
        .object({ version: z.string().optional(), libraries: z.array(z.string()) })
        .meta({ id: 'CudaSupport' }),
      kinds: z.array(
        z
          .object({
            kind: z.enum(jobKinds).meta({ id: 'JobKind' }),
            supported: z.boolean(),
            missing: z.array(z.string()),
            missingOptional: z.array(z.string()),
          })
          .meta({ id: 'JobKindSupport' }),
      ),
    })
    .meta({ id: 'CapabilitiesResult' }),
);
export type CapabilitiesResult = z.infer<typeof capabilitiesResult>;

/** Of the checks that were asked for. */
export const validationSchema = z.lazy(() =>
  z
    .object({
      digest: z.string().meta({ description: 'The digest of the checked image.' }),
      notebook: notebookResult.optional(),
      capabilities: capabilitiesResult.optional(),
    })
    .meta({ id: 'Validation' }),
);
export type Validation = z.infer<typeof validationSchema>;

/** On an image: of each check the last result. */
export const imageValidationSchema = z.lazy(() =>
  z
    .object({
      buildId: idSchema('build').meta({ description: 'The last validation that finished.' }),
      finishedAt: timestamp,
      ...validationSchema.unwrap().shape,
    })
    .meta({ id: 'ImageValidation' }),
);

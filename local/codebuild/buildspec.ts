/** Buildspecs, in JSON (which is YAML, and what `BuildSpec.fromObject` synthesizes). */
import * as z from 'zod';

const phase = z.strictObject({
  commands: z.array(z.string()).default([]),
  finally: z.array(z.string()).default([]),
  'on-failure': z.enum(['ABORT', 'CONTINUE']).optional(),
  'runtime-versions': z.record(z.string(), z.unknown()).optional(),
});

const buildspec = z.strictObject({
  version: z.union([z.literal('0.2'), z.literal(0.2)]),
  env: z
    .strictObject({
      shell: z.enum(['sh', 'bash', '/bin/sh']).default('sh'),
      variables: z.record(z.string(), z.coerce.string()).default({}),
      'secrets-manager': z.record(z.string(), z.string()).default({}),
      'exported-variables': z.array(z.string()).default([]),
    })
    .prefault({}),
  phases: z.strictObject({
    install: phase.optional(),
    pre_build: phase.optional(),
    build: phase.optional(),
    post_build: phase.optional(),
  }),
});

export type Buildspec = z.infer<typeof buildspec>;
export type BuildspecPhase = keyof Buildspec['phases'];

/** Throws an error that says what in the buildspec can't be run here. */
export function readBuildspec(text: string): Buildspec {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error('The embedded cloud reads buildspecs in JSON only (BuildSpec.fromObject writes JSON)', {
      cause,
    });
  }
  const result = buildspec.safeParse(json);
  if (!result.success)
    throw new Error(`The embedded cloud doesn't support this buildspec: ${z.prettifyError(result.error)}`);
  return result.data;
}

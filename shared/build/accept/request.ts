/** Checks what a build is asked to do, and looks up what its names stand for. */

import { baseImages, pullingArgs, unclearBases } from '../../dockerfile/bases.ts';
import { lintBuild } from '../../dockerfile/report.ts';
import type { Unclear } from '../../dockerfile/stages.ts';
import { type FieldError, invalid, ProblemError } from '../../http/problem.ts';
import type { LintWarning, RecipeRequest } from '../../model/dockerfile-lint.ts';
import { getSecret } from '../../store/secrets.ts';
import type { Table } from '../../store/table.ts';
import { getUpload } from '../../store/uploads.ts';
import { type BaseDigests, lookUpBases } from '../bases.ts';
import { buildComputes } from '../computes.ts';
import type { BuildRequest } from '../request.ts';
import type { AcceptDependencies } from './dependencies.ts';

export interface Wanted {
  dockerfile: string;
  /** What the Dockerfile was generated from. */
  from?: RecipeRequest | undefined;
  lint?: 'warn' | 'refuse' | undefined;
  contextUploadId?: string | undefined;
  buildArgs?: Record<string, string> | undefined;
  secrets?: Record<string, string> | undefined;
  computes?: string[] | undefined;
  push?: boolean | undefined;
  /** B14: of a build among others, in place of asking for all of its base images by itself. */
  lookUp?: ((references: string[]) => Promise<BaseDigests>) | undefined;
}

/** Each is asked of a registry that the Dockerfile names, before the build is accepted and by the builder again. */
export const mostBases = 50;
/** Their names are kept beside the Dockerfile, and arguments that are put in make them as long as somebody likes. */
const mostNameBytes = 65_536;

/** What a build is asked to do, and which of its base images couldn't be looked up. */
export interface ReadRequest {
  request: BuildRequest;
  unknownBases: BaseDigests['unknown'];
}

/** `pointer` leads to where these fields stand in the body. Throws a 422 problem that lists every field that is wrong. */
export async function readBuildRequest(
  dependencies: Pick<AcceptDependencies, 'table' | 'stage' | 'artifacts' | 'access' | 'now'>,
  organisation: string,
  wanted: Wanted,
  pointer: string,
): Promise<ReadRequest> {
  const { table, stage, artifacts } = dependencies;
  const errors: FieldError[] = [];
  const offered = buildComputes(stage).map(({ name }) => name);
  const computes = wanted.computes ?? offered;
  for (const [i, name] of computes.entries())
    if (!offered.includes(name))
      errors.push({
        pointer: `${pointer}/computes/${i}`,
        message: `must contain only computes for builds: ${offered.join(', ')}`,
      });
  const context = await findContext({ table, artifacts }, organisation, wanted.contextUploadId);
  if (typeof context === 'string') errors.push({ pointer: `${pointer}/contextUploadId`, message: context });
  const secrets = wanted.secrets ?? {};
  const secretSources: BuildRequest['secretSources'] = [];
  const named = await Promise.all(
    Object.entries(secrets).map(async ([id, name]) => ({
      id,
      name,
      secret: await getSecret(table, organisation, name),
    })),
  );
  for (const { id, name, secret } of named) {
    if (secret) secretSources.push({ id, secretArn: secret.arn, versionId: secret.versionId });
    else
      errors.push({
        pointer: `${pointer}/secrets/${id}`,
        message: `names the secret "${name}", which does not exist`,
      });
  }
  const buildArgs = wanted.buildArgs ?? {};
  for (const name of pullingArgs(buildArgs))
    errors.push({
      pointer: `${pointer}/buildArgs/${name}`,
      message: 'must be omitted: it makes engines pull images that the Dockerfile does not name',
    });
  if (errors.length > 0) throw invalid(...errors);
  const unclear = unclearBases(wanted.dockerfile, buildArgs);
  if (unclear) throw unclearRefusal(`${pointer}/dockerfile`, unclear);
  if (wanted.lint === 'refuse') {
    const warnings = lintBuild(wanted);
    if (warnings.length > 0) throw lintRefusal(`${pointer}/dockerfile`, warnings);
  }
  const references = baseImages(wanted.dockerfile, buildArgs);
  if (references.length > mostBases || Buffer.byteLength(references.join('')) > mostNameBytes)
    throw invalid({
      pointer: `${pointer}/dockerfile`,
      message: `builds on ${references.length} images. One build can have at most ${mostBases} base images, whose names have at most ${mostNameBytes} bytes together.`,
    });
  const bases = await (wanted.lookUp?.(references) ?? lookUpBases(dependencies, organisation, references));
  const request = {
    dockerfile: wanted.dockerfile,
    ...(wanted.from ? { from: wanted.from } : {}),
    ...(wanted.contextUploadId ? { contextUploadId: wanted.contextUploadId } : {}),
    ...(context && typeof context === 'object' ? { context } : {}),
    buildArgs,
    references,
    bases: bases.digests,
    secrets,
    secretSources,
    computes: [...new Set(computes)],
    ...(wanted.push === false ? { push: false as const } : {}),
  };
  return { request, unknownBases: bases.unknown };
}

/** The upload as it was declared, nothing where there is none to be, or what is wrong with it. */
async function findContext(
  { table, artifacts }: { table: Table; artifacts: AcceptDependencies['artifacts'] },
  organisation: string,
  uploadId: string | undefined,
): Promise<BuildRequest['context'] | string> {
  if (uploadId === undefined) return undefined;
  const upload = await getUpload(table, organisation, uploadId);
  if (!upload) return 'names an upload that does not exist';
  if (upload.kind !== 'context') return 'names an upload that is not a build context';
  const { key, sha256, sizeBytes } = upload;
  if (!(await artifacts.exists(key)))
    return 'names an upload whose file is missing. Upload the file first, or again if it has expired';
  return { key, sha256, sizeBytes };
}

/** The refusal of a build whose base images could not all be looked up. */
const unclearRefusal = (pointer: string, { line, why }: Unclear) =>
  new ProblemError(
    422,
    'dockerfile-invalid',
    `Slipway cannot tell which images the Dockerfile builds on: line ${line} ${why}.`,
    { errors: [{ pointer, message: `line ${line} ${why}` }] },
  );

/** The refusal of a build that was to be refused for any warning. */
const lintRefusal = (pointer: string, warnings: LintWarning[]) =>
  new ProblemError(
    422,
    'dockerfile-refused',
    `The Dockerfile has ${warnings.length} warning${warnings.length === 1 ? '' : 's'}, and \`lint\` says to refuse it.`,
    {
      errors: warnings.map(({ code, line, message, remedy }) => ({
        pointer,
        message: `line ${line}: ${message} (${code}). ${remedy}`,
      })),
    },
  );

/** B10, B11: Dockerfiles before they are built. */
import { generateDockerfile } from '../../shared/dockerfile/generate.ts';
import { lintDockerfile } from '../../shared/dockerfile/lint.ts';
import { RequirementsError } from '../../shared/dockerfile/requirements.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { invalid, ProblemError } from '../../shared/http/problem.ts';
import { nameSources } from '../../shared/images/name-sources.ts';
import type { LintWarning, RecipeRequest } from '../../shared/model/dockerfile-lint.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { referenceOf } from '../../shared/registry/reference.ts';
import { resolveImageName } from '../../shared/registry/resolve.ts';
import type { ImagesDependencies } from './dependencies.ts';
import * as contract from './dockerfile-contract.ts';
import { meaning } from './resolve.ts';

type Needs = Pick<ImagesDependencies, 'table' | 'registries' | 'access'>;

/** `pointer` leads to the recipe in the body. Throws 422 for requirements that pip couldn't take, and what a name's resolution throws. */
export async function dockerfileFrom(
  { table, registries, access }: Needs,
  organisation: string,
  { base, ...recipe }: RecipeRequest,
  pointer: string,
): Promise<{ dockerfile: string; warnings: string[] }> {
  const { uri, location, warnings } = await meaning(
    () => resolveImageName(base, nameSources(table, registries, organisation)),
    `${pointer}/base`,
  );
  let baseUser: string | undefined;
  try {
    const client = await access.clientFor(organisation, location.host, location.repository);
    baseUser = (await client.resolveManifest(location.repository, referenceOf(location))).config.user;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    warnings.push(
      `${uri} could not be looked up, so its user is not known and stays as it is: ${error.message}`,
    );
  }
  try {
    return { dockerfile: generateDockerfile({ ...recipe, base: uri, baseUser }), warnings };
  } catch (error) {
    if (!(error instanceof RequirementsError)) throw error;
    throw invalid(
      ...error.problems.map(({ line, message }) => ({
        pointer: `${pointer}/requirements`,
        message: `line ${line}: ${message}`,
      })),
    );
  }
}

/** The source of a build with its Dockerfile, given or generated. */
export async function withDockerfile<
  S extends { dockerfile?: string | undefined; from?: RecipeRequest | undefined },
>(dependencies: Needs, organisation: string, source: S): Promise<S & { dockerfile: string }> {
  const { from, dockerfile } = source;
  if (!from) return { ...source, dockerfile: dockerfile ?? '' };
  const made = await dockerfileFrom(dependencies, organisation, from, '/source/from');
  return { ...source, dockerfile: made.dockerfile };
}

/** The refusal of a build that was to be refused for any warning. */
export const lintRefusal = (pointer: string, warnings: LintWarning[]) =>
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

export const dockerfileOperations = (dependencies: Needs): Implementation[] => [
  implement(contract.lintDockerfile, async ({ body: { dockerfile, ...options } }) => ({
    status: 200,
    body: { warnings: lintDockerfile(dockerfile, options) },
  })),
  implement(contract.generateDockerfile, async ({ caller, body }) => ({
    status: 200,
    body: await dockerfileFrom(dependencies, caller.organisation, body, ''),
  })),
];

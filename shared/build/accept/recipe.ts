/** B10: the Dockerfile of a build that gives a base image and packages in its place. */
import { generateDockerfile } from '../../dockerfile/generate.ts';
import { RequirementsError } from '../../dockerfile/requirements.ts';
import { invalid } from '../../http/problem.ts';
import { meaning } from '../../images/meaning.ts';
import { nameSources } from '../../images/name-sources.ts';
import type { RecipeRequest } from '../../model/dockerfile-lint.ts';
import { dockerfileLimit } from '../../model/new-build.ts';
import { RegistryError } from '../../registry/model.ts';
import { referenceOf } from '../../registry/reference.ts';
import { resolveImageName } from '../../registry/resolve.ts';
import type { AcceptDependencies } from './dependencies.ts';

export type RecipeDependencies = Pick<AcceptDependencies, 'table' | 'registries' | 'access'>;

/** `pointer` leads to the recipe in the body. Throws 422 for requirements that pip couldn't take, and what a name's resolution throws. */
export async function dockerfileFrom(
  { table, registries, access }: RecipeDependencies,
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
      `Slipway could not look up ${uri}, so it doesn't know the image's user and keeps it: ${error.message}`,
    );
  }
  try {
    const dockerfile = generateDockerfile({ ...recipe, base: uri, baseUser });
    if (Buffer.byteLength(dockerfile) <= dockerfileLimit) return { dockerfile, warnings };
    const message = `must not make a Dockerfile of more than ${dockerfileLimit} bytes`;
    throw invalid({ pointer: `${pointer}/requirements`, message });
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

/** The source of a build with its Dockerfile, given or generated, and what its timeline is to say of that. */
export async function withDockerfile<
  S extends { dockerfile?: string | undefined; from?: RecipeRequest | undefined },
>(
  dependencies: RecipeDependencies,
  organisation: string,
  source: S,
  pointer = '/source/from',
): Promise<{ source: S & { dockerfile: string }; warnings: string[] }> {
  const { from, dockerfile = '' } = source;
  const made = from
    ? await dockerfileFrom(dependencies, organisation, from, pointer)
    : { dockerfile, warnings: [] };
  return { source: { ...source, dockerfile: made.dockerfile }, warnings: made.warnings };
}

/**
 * B10: a Dockerfile from a base, Debian packages and Python packages. What users write never becomes shell: Debian
 * names are validated and quoted, pip gets its arguments in the exec form. Versions are the user's to pin.
 */
import { userPattern } from '../model/dockerfile-lint.ts';
import { pipArguments } from './requirements.ts';

export interface Recipe {
  /** Host, repository and tag or digest. */
  base: string;
  /** User that the base ends with, as its own author wrote it; undefined where nobody could tell. */
  baseUser?: string | undefined;
  apt?: readonly string[] | undefined;
  /** Text of a `requirements.txt`. */
  requirements?: string | undefined;
  user?: string | undefined;
  workdir?: string | undefined;
}

/** Throws `RequirementsError`. */
export function generateDockerfile(recipe: Recipe): string {
  const { base, apt = [], requirements = '', user, workdir } = recipe;
  const baseUser =
    recipe.baseUser !== undefined && userPattern.test(recipe.baseUser) ? recipe.baseUser : undefined;
  const pip = pipArguments(requirements);
  // Of a base that nobody could look up nothing is changed: it may well run as root.
  const installs = apt.length > 0 || pip.length > 0;
  const raises = installs && baseUser !== undefined && !isRoot(baseUser);
  const endsAs = user ?? (raises ? baseUser : undefined);
  const parts = [
    `FROM ${base}`,
    ...(raises ? ['USER root'] : []),
    ...(apt.length > 0 ? [aptLayer(apt)] : []),
    ...(pip.length > 0 ? [pipLayer(pip)] : []),
    ...(workdir === undefined ? [] : [`WORKDIR ${workdir}`]),
    ...(endsAs === undefined ? [] : [`USER ${endsAs}`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

const isRoot = (user: string) => /^(?:|root|0)(?::.*)?$/.test(user);

/** One layer without the lists; sorted, so that the same packages are the same layer. */
function aptLayer(packages: readonly string[]): string {
  const names = [...new Set(packages)].sort().map((one) => ` '${one}'`);
  return [
    'RUN apt-get update \\',
    ' && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\',
    ...names.map((one) => `     ${one} \\`),
    ' && rm -rf /var/lib/apt/lists/*',
  ].join('\n');
}

/**
 * The cache mount keeps wheels where the builder keeps its disk, and keeps them out of the layer everywhere. Arguments
 * of the build are no environment of the image: Debian's Python refuses pip without the first.
 */
function pipLayer(args: string[]): string {
  const words = ['python3', '-m', 'pip', 'install', '--cache-dir=/var/cache/slipway-pip', ...args].map(
    (one) => JSON.stringify(one),
  );
  return [
    'ARG PIP_BREAK_SYSTEM_PACKAGES=1',
    'ARG PIP_ROOT_USER_ACTION=ignore',
    'ARG PIP_DISABLE_PIP_VERSION_CHECK=1',
    'RUN --mount=type=cache,target=/var/cache/slipway-pip \\',
    `    [${words.slice(0, 5).join(', ')}, \\`,
    `     ${words.slice(5).join(', \\\n     ')}]`,
  ].join('\n');
}

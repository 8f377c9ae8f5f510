/** The command lines of a build. Everything a user wrote is one whole argument, and no shell sees any of it. */

export interface BuildCommand {
  cacheMode: 'registry' | 'inline';
  dockerfile: string;
  context: string;
  uri: string;
  buildArgs: Record<string, string>;
  /** Named where other organisations build in the same engine. */
  organisation?: string;
  secrets: { id: string; path: string }[];
  cache: string;
  /** A cache that isn't there would be an error in the log, though not of the build. */
  cacheExists: boolean;
  /** Whether the registry cache is written: a build that pushes nothing leaves nothing there either. */
  cacheKept: boolean;
}

/** Arguments of `docker`. The registry cache needs buildx; the inline cache works with every engine that has BuildKit. */
export function buildArguments(command: BuildCommand): string[] {
  const { cacheMode, dockerfile, context, uri, buildArgs, organisation, secrets } = command;
  return [
    'build',
    '--progress=plain',
    '--file',
    dockerfile,
    '--tag',
    uri,
    ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(organisation === undefined ? [] : apart(organisation)),
    ...secrets.flatMap(({ id, path }) => ['--secret', `id=${id},src=${path}`]),
    ...(cacheMode === 'registry' ? registryCache(command) : inlineCache(command)),
    context,
  ];
}

/**
 * The engine's own cache, and what `--mount=type=cache` keeps, of each organisation: the names of further hosts count in
 * the keys of steps that run something, and nothing of them is in the image.
 */
const apart = (organisation: string) => [
  '--add-host',
  `${organisation}.organisation.invalid:0.0.0.0`,
  '--build-arg',
  `BUILDKIT_CACHE_MOUNT_NS=${organisation}`,
];

const registryCache = ({ cache, cacheExists, cacheKept }: BuildCommand) => [
  ...(cacheExists ? ['--cache-from', `type=registry,ref=${cache}`] : []),
  ...(cacheKept
    ? [
        '--cache-to',
        `type=registry,ref=${cache},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true`,
      ]
    : []),
];

const inlineCache = ({ cache, cacheExists }: BuildCommand) => [
  '--build-arg',
  'BUILDKIT_INLINE_CACHE=1',
  ...(cacheExists ? [cache, latestCache(cache)].flatMap((one) => ['--cache-from', one]) : []),
];

/**
 * Older engines leave the layers that they took from a cache out of the cache that they write. So the last image
 * that holds all of its steps is kept beside the latest one.
 */
export const latestCache = (cache: string) => `${cache}-latest`;

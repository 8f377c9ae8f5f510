/**
 * The net below the reading of Dockerfiles: which images BuildKit says that it resolves. One that is not among the bases
 * of the build was neither looked up nor allowed, whatever made BuildKit ask for it.
 */
import type { BuildFailure } from '../shared/model/build.ts';
import { type ImageLocation, InvalidReferenceError, parseLocation } from '../shared/registry/reference.ts';

/**
 * Lines of plain progress that name an image. Steps have names of BuildKit's own: `[internal] load metadata for …`,
 * `resolve image config for …`, `[stage 1/2] FROM …`, `docker-image://…`; `resolve …` is printed below a step as it pulls.
 */
const naming = [
  /^(?:\[(?:\S+ )?internal\] )?load metadata for (\S+)$/,
  /^resolve image config for (?:docker-image:\/\/)?(\S+)$/,
  /^docker-image:\/\/(\S+)$/,
  /^(?:\[[^\]]*\] )?FROM (\S+)$/,
  /^resolve (\S+)(?: \d+\.\d+s)?(?: done)?$/,
];

/** The image that a line names, as it stands there. */
export function resolvedIn(line: string): string | undefined {
  const [, said = ''] = /^#\d+ (.*)$/.exec(line) ?? [];
  for (const form of naming) {
    const [, image] = form.exec(said) ?? [];
    if (image !== undefined) return image;
  }
  return undefined;
}

/** `bases` are those that the build may use; one without a digest could not be looked up, and is allowed by its name. */
export function createImageWatch(bases: readonly ImageLocation[]) {
  let unexpected: string | undefined;
  const isBase = (image: string) => {
    const asked = locationOf(image);
    return asked !== undefined && bases.some((base) => isSame(base, asked));
  };
  return {
    /** False for the first line that names another image. */
    take(line: string): boolean {
      const image = resolvedIn(line);
      if (image === undefined || unexpected !== undefined || isBase(image)) return true;
      unexpected = image;
      return false;
    },
    failure: (): BuildFailure | undefined =>
      unexpected === undefined
        ? undefined
        : {
            code: 'base-image-unexpected',
            message: `The engine asked for ${unexpected}, which is not among the images that the Dockerfile names. Slipway stopped the build and pushed nothing.`,
          },
  };
}

function isSame(base: ImageLocation, asked: ImageLocation): boolean {
  if (base.host.toLowerCase() !== asked.host.toLowerCase() || base.repository !== asked.repository)
    return false;
  return base.digest === undefined ? tagOf(base) === tagOf(asked) : base.digest === asked.digest;
}

const tagOf = ({ tag }: ImageLocation) => tag ?? 'latest';

function locationOf(image: string): ImageLocation | undefined {
  try {
    return parseLocation(image);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

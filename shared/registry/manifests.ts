/** From the bytes of manifests and configurations to what an image is: pure, and refusing what makes no sense. */
import { isDigest } from './digest.ts';
import { imageConfigs } from './media-types.ts';
import { type Descriptor, type ImageConfig, type Platform, RegistryError } from './model.ts';
import {
  listAt,
  objectAt,
  optionalMapAt,
  optionalObjectAt,
  optionalTextAt,
  optionalTextsAt,
  textAt,
  UnreadableError,
} from './places.ts';

/** More layers, or images in one index, than anybody has: Docker's own limit of layers is 127. */
const mostEntries = 1000;

/** A thousand times what images have: a few bytes of JSON can become objects many times their size. */
const mostParts = 100_000;

/** `JSON.parse` for what a registry sent. Throws for what is no JSON, or has too many parts. */
export function parseJson(body: Buffer): unknown {
  let parts = 0;
  let quoted = false;
  // Most documents are too short to have too many.
  for (let at = 0; body.length > mostParts && at < body.length; at++) {
    const byte = body[at];
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x5c && quoted) at++;
    else if (!quoted && (byte === 0x2c || byte === 0x5b || byte === 0x7b) && ++parts > mostParts)
      throw new Error('too many parts');
  }
  return JSON.parse(body.toString());
}

/** The document in `body`. Throws `corrupt` for what isn't a JSON object. */
export function readDocument(body: Buffer, host: string): Record<string, unknown> {
  try {
    const document = parseJson(body);
    if (typeof document === 'object' && document !== null && !Array.isArray(document))
      return document as Record<string, unknown>;
  } catch {
    // Told below like any other body that is no manifest.
  }
  throw new RegistryError('corrupt', host, `${host} sent a manifest that is no JSON object`);
}

/** Where a manifest's configuration lies. Throws `refused` for an artifact that is no image. */
export function readConfigDescriptor(document: unknown, host: string): Descriptor {
  const config = readable('manifest', host, () => descriptorAt('config', rootOf(document).config));
  if (config.mediaType && !imageConfigs.includes(config.mediaType))
    throw new RegistryError(
      'refused',
      host,
      `This is no container image but ${config.mediaType.slice(0, 150)}`,
    );
  return config;
}

export const readLayers = (document: unknown, host: string): Descriptor[] =>
  readable('manifest', host, () =>
    listAt('layers', rootOf(document).layers, mostEntries).map((layer, i) =>
      descriptorAt(`layers.${i}`, layer),
    ),
  );

/** An index's images with their platforms; attestations and entries without a platform are left out. */
export const readIndex = (document: unknown, host: string): (Descriptor & { platform: Platform })[] =>
  readable('index', host, () =>
    listAt('manifests', rootOf(document).manifests, mostEntries).flatMap((entry, i) => {
      const place = `manifests.${i}`;
      const descriptor = descriptorAt(place, entry);
      const { platform, annotations } = objectAt(place, entry);
      const notes = optionalMapAt(`${place}.annotations`, annotations);
      const isFor = platform === undefined ? undefined : platformAt(`${place}.platform`, platform);
      const isImage = isFor && isFor.os !== 'unknown' && !notes['vnd.docker.reference.type'];
      return isImage ? [{ ...descriptor, platform: isFor }] : [];
    }),
  );

export const readConfig = (document: unknown, host: string): { platform: Platform; config: ImageConfig } =>
  readable('configuration', host, () => {
    const root = rootOf(document);
    const config = optionalObjectAt('config', root.config);
    const created = optionalTextAt('created', root.created);
    const variant = optionalTextAt('variant', root.variant);
    return {
      platform: {
        os: optionalTextAt('os', root.os) ?? 'linux',
        architecture: optionalTextAt('architecture', root.architecture) ?? 'amd64',
        ...(variant ? { variant } : {}),
      },
      config: {
        env: optionalTextsAt('config.Env', config.Env),
        entrypoint: optionalTextsAt('config.Entrypoint', config.Entrypoint),
        command: optionalTextsAt('config.Cmd', config.Cmd),
        user: optionalTextAt('config.User', config.User) ?? '',
        workingDir: optionalTextAt('config.WorkingDir', config.WorkingDir) ?? '',
        labels: optionalMapAt('config.Labels', config.Labels),
        exposedPorts: Object.keys(optionalObjectAt('config.ExposedPorts', config.ExposedPorts)),
        ...(created ? { createdAt: created } : {}),
      },
    };
  });

const rootOf = (document: unknown) => objectAt('the document', document);

function descriptorAt(place: string, value: unknown): Descriptor {
  const { mediaType = '', digest, size } = objectAt(place, value);
  if (typeof digest !== 'string' || !isDigest(digest)) throw new UnreadableError(`${place}.digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new UnreadableError(`${place}.size`);
  return { mediaType: textAt(`${place}.mediaType`, mediaType), digest, size };
}

function platformAt(place: string, value: unknown): Platform {
  const { os, architecture, variant } = objectAt(place, value);
  return {
    os: textAt(`${place}.os`, os),
    architecture: textAt(`${place}.architecture`, architecture),
    ...(variant === undefined ? {} : { variant: textAt(`${place}.variant`, variant) }),
  };
}

/** Throws `corrupt`, with the place, for what `read` finds unreadable. */
function readable<T>(what: string, host: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    throw new RegistryError('corrupt', host, `${host} sent a ${what} that ${error.message}`);
  }
}

/** From the bytes of manifests and configurations to what an image is: pure, and refusing what makes no sense. */
import { platformPart, platformPartAtMost } from '../model/platform.ts';
import { isDigest } from './digest.ts';
import { imageConfigs, isIndex } from './media-types.ts';
import { type Descriptor, type ImageConfig, type Platform, RegistryError } from './model.ts';
import {
  commandAt,
  listAt,
  objectAt,
  optionalMapAt,
  optionalObjectAt,
  optionalTextAt,
  optionalTextsAt,
  sizeAt,
  UnreadableError,
} from './places.ts';

/** More layers, or images in one index, than anybody has: Docker's own limit of layers is 127. */
const mostEntries = 1000;

/** Twice what the standard of media types allows to a name and its parts. */
const mediaTypeAtMost = 255;

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
  throw new RegistryError('corrupt', host, `${host} sent a manifest that is not a JSON object`);
}

/** Where a manifest's configuration lies. Throws `refused` for an artifact that is no image. */
export function readConfigDescriptor(document: unknown, host: string): Descriptor {
  const config = readable('manifest', host, () => descriptorAt('config', rootOf(document).config));
  if (config.mediaType && !imageConfigs.includes(config.mediaType))
    throw new RegistryError(
      'refused',
      host,
      `This is not a container image but an artifact of type ${config.mediaType.slice(0, 150)}`,
    );
  return config;
}

export const readLayers = (document: unknown, host: string): Descriptor[] =>
  readable('manifest', host, () => {
    const { layers, manifests } = rootOf(document);
    // What is an image to one reader and an index to the next has two meanings under one digest.
    if (!isEmpty(manifests)) throw new UnreadableError('manifests');
    return listAt('layers', layers, mostEntries).map((layer, i) => descriptorAt(`layers.${i}`, layer));
  });

/** An entry of an index; without a platform where the entry names none. */
export interface IndexEntry extends Descriptor {
  platform?: Platform;
}

/**
 * What an index offers to run, and the indexes within it. Left out is what engines pass over: attestations, and entries
 * whose platform is empty, or unknown.
 */
export const readIndex = (document: unknown, host: string): IndexEntry[] =>
  readable('index', host, () => {
    const { manifests, layers } = rootOf(document);
    if (!isEmpty(layers)) throw new UnreadableError('layers');
    return listAt('manifests', manifests, mostEntries).flatMap((entry, i): IndexEntry[] => {
      const place = `manifests.${i}`;
      const descriptor = descriptorAt(place, entry);
      const { platform, annotations } = objectAt(place, entry);
      const notes = optionalMapAt(`${place}.annotations`, annotations);
      if (notes['vnd.docker.reference.type']) return [];
      if (platform === undefined || platform === null) return [descriptor];
      const isFor = platformAt(`${place}.platform.`, objectAt(`${place}.platform`, platform));
      if (isFor) return isFor.os === 'unknown' ? [] : [{ ...descriptor, platform: isFor }];
      return isIndex(descriptor.mediaType) ? [descriptor] : [];
    });
  });

export const readConfig = (document: unknown, host: string): { platform: Platform; config: ImageConfig } =>
  readable('configuration', host, () => {
    const root = rootOf(document);
    const config = optionalObjectAt('config', root.config);
    const created = optionalTextAt('created', root.created);
    return {
      platform: configPlatformAt(root),
      config: {
        env: optionalTextsAt('config.Env', config.Env),
        entrypoint: commandAt('config.Entrypoint', config.Entrypoint),
        command: commandAt('config.Cmd', config.Cmd),
        user: optionalTextAt('config.User', config.User) ?? '',
        workingDir: optionalTextAt('config.WorkingDir', config.WorkingDir) ?? '',
        labels: optionalMapAt('config.Labels', config.Labels),
        exposedPorts: Object.keys(optionalObjectAt('config.ExposedPorts', config.ExposedPorts)),
        ...(created ? { createdAt: created } : {}),
      },
    };
  });

const rootOf = (document: unknown) => objectAt('the document', document);

const isEmpty = (list: unknown) =>
  list === undefined || list === null || (Array.isArray(list) && list.length === 0);

function descriptorAt(place: string, value: unknown): Descriptor {
  const { mediaType, digest, size } = objectAt(place, value);
  if (typeof digest !== 'string' || !isDigest(digest)) throw new UnreadableError(`${place}.digest`);
  const type = optionalTextAt(`${place}.mediaType`, mediaType) ?? '';
  if (type.length > mediaTypeAtMost) throw new UnreadableError(`${place}.mediaType`);
  return { mediaType: type, digest, size: sizeAt(`${place}.size`, size) };
}

/** Undefined where operating system or architecture is empty, which is no machine's. Engines ignore case. */
function platformAt(place: string, fields: Record<string, unknown>): Platform | undefined {
  const partAt = (name: string) => {
    const part = (optionalTextAt(`${place}${name}`, fields[name]) ?? '').toLowerCase();
    if (part !== '' && (part.length > platformPartAtMost || !platformPart.test(part)))
      throw new UnreadableError(`${place}${name}`);
    return part;
  };
  const [os, architecture, variant] = [partAt('os'), partAt('architecture'), partAt('variant')];
  partAt('os.version');
  if (os === '' || architecture === '') return undefined;
  return { os, architecture, ...(variant === '' ? {} : { variant }) };
}

/** Engines that wrote neither ran on nothing else. */
const configPlatformAt = (root: Record<string, unknown>): Platform =>
  platformAt('', {
    ...root,
    os: optionalTextAt('os', root.os) || 'linux',
    architecture: optionalTextAt('architecture', root.architecture) || 'amd64',
  }) ?? { os: 'linux', architecture: 'amd64' };

/** Of all descriptors together. Throws `corrupt` where they are more than can be counted. */
export function totalSize(descriptors: readonly Pick<Descriptor, 'size'>[], host: string): number {
  const total = descriptors.reduce((sum, { size }) => sum + size, 0);
  if (Number.isSafeInteger(total)) return total;
  throw new RegistryError('corrupt', host, `${host} sent a manifest whose sizes add up to more than 8 PiB`);
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

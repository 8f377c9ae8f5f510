/** What an image name means in an organisation, and by which rule (E3). Names only: no registry is asked. */
import type { ImageRule } from '../model/image-rules.ts';
import {
  dockerHub,
  formatReference,
  type ImageLocation,
  joinReference,
  parseReference,
  withTag,
} from './reference.ts';

/** What the platform runs when neither the experiment nor the organisation names an image. */
export const platformDefaultImage = 'python:3.13';

/** An image of the organisation's table. */
export interface KnownImage {
  id: string;
  /** Host, repository and tag. */
  uri: string;
  status: 'pending' | 'ready' | 'failed';
}

export interface NameSources {
  imageById(id: string): Promise<KnownImage | undefined>;
  /** Those whose repository and tag are exactly these, in whatever registry. */
  imagesByName(repository: string, tag: string): Promise<KnownImage[]>;
  /** Host, and path below it, of the organisation's default registry. */
  defaultRegistry(): Promise<{ host: string; path: string } | undefined>;
  /** The organisation's default image, as somebody typed it. */
  defaultImage(): Promise<string | undefined>;
}

export interface ResolvedName {
  /** As it was typed; absent where a default was taken. */
  requested?: string;
  rule: ImageRule;
  location: ImageLocation;
  /** The organisation's image, where the name is one's. */
  imageId?: string;
  /** `location` as text. */
  uri: string;
  /** What no image of the organisation is named, where a registry was taken in its place. */
  missed?: { repository: string; tag: string };
  warnings: string[];
}

/** A well-formed name that means nothing, or more than one thing (`candidates` are ids of images). */
export class UnresolvedNameError extends Error {
  readonly code: 'image-not-found' | 'image-ambiguous' | 'image-not-ready';
  readonly candidates: string[];
  constructor(code: UnresolvedNameError['code'], message: string, candidates: string[] = []) {
    super(message);
    this.name = 'UnresolvedNameError';
    this.code = code;
    this.candidates = candidates;
  }
}

/** Throws `InvalidReferenceError` for what is no name, `UnresolvedNameError` for one that means no single image. */
export async function resolveImageName(
  requested: string | undefined,
  sources: NameSources,
): Promise<ResolvedName> {
  if (requested !== undefined) return { requested, ...(await meaningOf(requested, sources)) };
  const ofOrganisation = await sources.defaultImage();
  const meaning = await meaningOf(ofOrganisation ?? platformDefaultImage, sources);
  return { ...meaning, rule: ofOrganisation === undefined ? 'platform-default' : 'organisation-default' };
}

async function meaningOf(text: string, sources: NameSources): Promise<Omit<ResolvedName, 'requested'>> {
  const name = text.trim();
  if (/^img_[0-9a-z-]+$/.test(name)) {
    const image = await sources.imageById(name);
    if (!image) throw new UnresolvedNameError('image-not-found', `There is no image ${name}.`);
    return known('image-id', image, []);
  }
  const typed = parseReference(name);
  const { reference, warnings } = withTag(typed);
  const located = (rule: ImageRule, location: ImageLocation) => ({
    rule,
    location,
    uri: formatReference(location),
    warnings,
  });
  if (reference.host !== undefined) return located('full-url', { ...reference, host: reference.host });
  const { repository, tag, digest } = reference;
  if (tag !== undefined && digest === undefined) {
    const images = await sources.imagesByName(repository, tag);
    const [image] = images;
    if (images.length > 1)
      throw new UnresolvedNameError(
        'image-ambiguous',
        `"${name}" matches ${images.length} images: ${images.map(({ id, uri }) => `${uri} (${id})`).join(', ')}.`,
        images.map(({ id }) => id),
      );
    if (image) return known('repository-tag', image, warnings);
  }
  const missed = tag !== undefined && digest === undefined ? { missed: { repository, tag } } : {};
  const registry = await sources.defaultRegistry();
  const place = registry
    ? located('default-registry', joinReference(reference, registry.host, registry.path))
    : located('docker-hub', joinReference(reference, dockerHub));
  return { ...place, ...missed };
}

function known(rule: ImageRule, image: KnownImage, warnings: string[]): Omit<ResolvedName, 'requested'> {
  if (image.status !== 'ready')
    throw new UnresolvedNameError(
      'image-not-ready',
      image.status === 'pending'
        ? `Image ${image.id} (${image.uri}) is still being built. Wait for its build.`
        : `Image ${image.id} (${image.uri}) has no successful build yet. Build it again.`,
    );
  const { host, ...rest } = parseReference(image.uri);
  if (host === undefined) throw new Error(`image ${image.id} has no host in its uri`);
  return { rule, location: { ...rest, host }, imageId: image.id, uri: image.uri, warnings };
}

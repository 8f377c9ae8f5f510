/**
 * Image references as people type them (E3). A host is only a first part that has `.` or `:` or is `localhost`;
 * on Docker Hub a one-part name means `library/<name>`, nowhere else is anything inserted.
 */

/** An image in a registry. */
export interface ImageLocation {
  /** Host, with its port if any; Docker Hub is `docker.io`. */
  host: string;
  /** Path below the host. */
  repository: string;
  tag?: string;
  digest?: string;
}

/** What a text says: `host` is absent where it leaves the registry open. */
export type ImageReference = Omit<ImageLocation, 'host'> & { host?: string };

/** Characters of what is no name, and may be a whole document. */
const shownAtMost = 300;

export class InvalidReferenceError extends Error {
  constructor(text: string, why: string) {
    super(`"${text.slice(0, shownAtMost)}" is not a valid image name: ${why}`);
    this.name = 'InvalidReferenceError';
  }
}

export const dockerHub = 'docker.io';

/** Other names that Docker Hub goes by. */
const hubAliases = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'hub.docker.com',
]);

/** A web site, no registry: what is pasted from it is the address of an image's page, or of its tags' page. */
const hubPages = 'hub.docker.com';
const hubPage = /^(?:_\/([^/]+)|(?:r|repository\/docker)\/([^/]+\/[^/]+))(?:\/(?:tags|general)?)?$/;

const part = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?$`);

/** Throws `InvalidReferenceError`. A scheme in front, and Gradient's `docker.io:/ns/repo`, are accepted. */
export function parseReference(text: string): ImageReference {
  const refuse = (why: string) => new InvalidReferenceError(text, why);
  let rest = text.trim().replace(/^(?:https?|docker|oci):\/\//i, '');
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw refuse('a digest must be sha256: and 64 hex digits');
  }
  let host: string | undefined;
  const slash = rest.indexOf('/');
  // Gradient writes `docker.io:/ns/repo`: a colon with no port after it.
  const first = rest.slice(0, Math.max(slash, 0)).replace(/:$/, '');
  if (/[.:]/.test(first) || first.toLowerCase() === 'localhost') {
    host = normalHost(first);
    if (!host) throw refuse(`"${first.slice(0, shownAtMost)}" is not a host`);
    rest = rest.slice(slash + 1);
    if (first.toLowerCase() === hubPages) rest = rest.replace(hubPage, '$1$2');
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!isTag(tag)) throw refuse('a tag must be up to 128 letters, digits, `_`, `.` and `-`');
  }
  if (rest === '') throw refuse('it has no repository');
  const repository = rest.replace(/\/+$/, '');
  if (!isRepository(repository))
    throw refuse(
      'a repository must be lowercase letters and digits, separated by `.`, `_`, `__`, `-` or `/`',
    );
  return {
    ...(host ? { host } : {}),
    repository: withLibrary(host, repository),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

export const isRepository = (text: string): boolean =>
  text.length <= 255 && text.split('/').every((one) => part.test(one));

export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text);

/** Lower-case, Docker Hub under its one name; undefined for what is no host, such as `1.2.3.256` or one with port 0. */
export function normalHost(text: string): string | undefined {
  const host = text.toLowerCase();
  if (host.length > 261 || !hostPattern.test(host)) return undefined;
  // Numbers of addresses and ports have more rules than the pattern, and whoever connects goes by these.
  const url = URL.parse(`https://${host}`);
  if (!url || url.port === '0') return undefined;
  return hubAliases.has(host) ? dockerHub : host;
}

const withLibrary = (host: string | undefined, repository: string): string =>
  host === dockerHub && !repository.includes('/') ? `library/${repository}` : repository;

/** A reference that names no host, joined below a registry (`host` and the `path` of its URL). */
export function joinReference(reference: ImageReference, host: string, path = ''): ImageLocation {
  const repository = path === '' ? reference.repository : `${path}/${reference.repository}`;
  return { ...reference, host, repository: withLibrary(host, repository) };
}

/** Where an image lies by its own name: without a host on Docker Hub. Throws `InvalidReferenceError`. */
export function parseLocation(text: string): ImageLocation {
  const reference = parseReference(text);
  return joinReference(reference, reference.host ?? dockerHub);
}

/** A missing tag becomes `latest`, with the warning that says so. */
export function withTag<T extends ImageReference>(reference: T): { reference: T; warnings: string[] } {
  if (reference.tag !== undefined || reference.digest !== undefined) return { reference, warnings: [] };
  return {
    reference: { ...reference, tag: 'latest' },
    warnings: ['The name has no tag, so Slipway uses `latest`, which changes over time.'],
  };
}

/** `host/repository[:tag][@digest]`. */
export function formatReference({ host, repository, tag, digest }: ImageReference): string {
  return `${host ? `${host}/` : ''}${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** What to ask a registry for: the digest where there is one, or the tag. */
export const referenceOf = ({ tag, digest }: Pick<ImageReference, 'tag' | 'digest'>): string =>
  digest ?? tag ?? 'latest';

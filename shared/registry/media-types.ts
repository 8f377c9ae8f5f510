/** Media types of manifests, in the order of preference in which they are asked for. */
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerSchema1Signed = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const dockerSchema1 = 'application/vnd.docker.distribution.manifest.v1+json';

const manifestTypes = [ociIndex, dockerList, ociManifest, dockerManifest, dockerSchema1Signed, dockerSchema1];
export const acceptedManifests = manifestTypes.join(', ');

/** Versions of manifests that a registry may serve one image in, each with its media types. */
export const manifestVersions = {
  'docker-schema-1': [dockerSchema1Signed, dockerSchema1],
  'docker-schema-2': [dockerManifest],
  'docker-list': [dockerList],
  oci: [ociManifest],
  'oci-index': [ociIndex],
} as const;
export type ManifestVersion = keyof typeof manifestVersions;

export const isIndex = (mediaType: string): boolean => mediaType === ociIndex || mediaType === dockerList;
export const isSchema1 = (mediaType: string): boolean =>
  mediaType === dockerSchema1Signed || mediaType === dockerSchema1;

/** Types of image configurations; another one is an artifact (a chart, a signature), not an image. */
export const imageConfigs = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];

/**
 * The type of a manifest: what it says itself, then its header, then its form. Some registries answer
 * `application/json` or `text/plain`.
 */
export function mediaTypeOf(header: string | undefined, document: { mediaType?: unknown } & object): string {
  if (typeof document.mediaType === 'string' && document.mediaType !== '') return document.mediaType;
  const type = header?.split(';')[0]?.trim() ?? '';
  if (manifestTypes.includes(type)) return type;
  if ('fsLayers' in document) return 'signatures' in document ? dockerSchema1Signed : dockerSchema1;
  return 'manifests' in document ? ociIndex : ociManifest;
}

/** Images of every kind in a registry in memory. */
import {
  type dockerList,
  dockerManifest,
  ociIndex,
  ociManifest,
} from '../../../shared/registry/media-types.ts';
import type { MemoryRegistry } from './servers.ts';

const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface ImageOptions {
  architecture?: string;
  variant?: string;
  config?: object;
  type?: string;
}

/** An image with two layers under `reference`; answers its digest. */
export function putImage(
  registry: MemoryRegistry,
  repository: string,
  reference: string,
  { architecture = 'amd64', variant, config = {}, type = ociManifest }: ImageOptions = {},
): string {
  const blob = (text: string, mediaType: string) => ({
    mediaType,
    digest: registry.putBlob(text),
    size: Buffer.byteLength(text),
  });
  const text = JSON.stringify({
    os: 'linux',
    architecture,
    variant,
    created: '2026-01-01T00:00:00Z',
    config,
  });
  return registry.put(
    repository,
    reference,
    type,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: blob(
        text,
        type === dockerManifest ? 'application/vnd.docker.container.image.v1+json' : configType,
      ),
      layers: [blob(`${architecture} base`, layerType), blob(`${architecture} top`, layerType)],
    }),
  );
}

export function putIndex(
  registry: MemoryRegistry,
  repository: string,
  reference: string,
  images: { digest: string; mediaType?: string; platform?: object; annotations?: object }[],
  type: typeof ociIndex | typeof dockerList = ociIndex,
): string {
  const manifests = images.map((one) => ({ mediaType: ociManifest, size: 100, ...one }));
  return registry.put(
    repository,
    reference,
    type,
    JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }),
  );
}

const encoded = (text: string) => Buffer.from(text).toString('base64url');

/** Docker's schema 1, signed as Docker signed it: signatures put into the text, and a header that says where. */
export function signedSchema1(layers: string[], config: object): { body: string; unsigned: string } {
  const document = {
    schemaVersion: 1,
    name: 'old/image',
    tag: '1',
    architecture: 'amd64',
    fsLayers: layers.map((blobSum) => ({ blobSum })),
    history: [{ v1Compatibility: JSON.stringify({ os: 'linux', architecture: 'amd64', config }) }],
  };
  const unsigned = JSON.stringify(document, null, 3);
  const formatLength = unsigned.length - 2;
  const header = encoded(
    JSON.stringify({ formatLength, formatTail: encoded('\n}'), time: '2015-01-01T00:00:00Z' }),
  );
  const signatures = JSON.stringify([{ header: {}, signature: 'x', protected: header }], null, 3);
  return { body: `${unsigned.slice(0, formatLength)},\n   "signatures": ${signatures}\n}`, unsigned };
}

/** What an image name points at, for one platform: digest, layers, size, configuration. */
import { readConfig, readConfigDescriptor, readDocument, readIndex, readLayers } from './manifests.ts';
import { isIndex, isSchema1 } from './media-types.ts';
import {
  type Platform,
  type ReadManifest,
  type RegistryClient,
  RegistryError,
  type ResolvedManifest,
} from './model.ts';
import { choosePlatform, formatPlatform, isPlatform, parsePlatform } from './platforms.ts';
import { readSchema1 } from './schema1.ts';

const configLimitBytes = 4 * 1024 * 1024;

export type Reads = Pick<RegistryClient, 'host' | 'getManifest' | 'readBlob' | 'hasBlob'>;

/**
 * `platform` is `os/arch[/variant]`; left out, linux/amd64 is taken, or the first there is.
 * Throws `RegistryError`: `not-found`, `no-platform`, `corrupt`, `refused` for an artifact that is no image.
 */
export async function resolveManifest(
  client: Reads,
  repository: string,
  reference: string,
  platform?: string,
): Promise<ResolvedManifest> {
  const { host } = client;
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  if (platform !== undefined && !wanted)
    throw new RegistryError('no-platform', host, `${platform} is no platform`);
  const top = await client.getManifest(repository, reference);
  if (!isIndex(top.mediaType)) {
    const image = await readImage(client, repository, top);
    if (wanted && !isPlatform(image.platform, wanted)) throw noPlatform(host, wanted, [image.platform]);
    return {
      digest: top.digest,
      mediaType: top.mediaType,
      platforms: [formatPlatform(image.platform)],
      platformDigest: top.digest,
      ...image,
      platform: formatPlatform(image.platform),
    };
  }
  const offered = readIndex(top.document, host);
  const chosen = choosePlatform(offered, wanted);
  if (!chosen)
    throw noPlatform(
      host,
      wanted,
      offered.map((one) => one.platform),
    );
  const image = await readImage(client, repository, await client.getManifest(repository, chosen.digest));
  return {
    digest: top.digest,
    mediaType: top.mediaType,
    platforms: [...new Set(offered.map((one) => formatPlatform(one.platform)))],
    platformDigest: chosen.digest,
    ...image,
    platform: formatPlatform(chosen.platform),
  };
}

type Image = Pick<ResolvedManifest, 'layers' | 'sizeBytes' | 'config' | 'configDigest'> & {
  platform: Platform;
};

async function readImage(
  client: Reads,
  repository: string,
  { mediaType, document }: ReadManifest,
): Promise<Image> {
  const { host } = client;
  if (isSchema1(mediaType)) return await readOldImage(client, repository, document);
  const config = readConfigDescriptor(document, host);
  const layers = readLayers(document, host);
  const bytes = await client.readBlob(repository, config.digest, configLimitBytes);
  return {
    ...readConfig(readDocument(bytes, host), host),
    layers,
    configDigest: config.digest,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.size, config.size),
  };
}

/** Schema 1 names no sizes: the registry is asked for each layer's. */
async function readOldImage(client: Reads, repository: string, document: unknown): Promise<Image> {
  const { architecture, layers: digests, config } = readSchema1(document, client.host);
  const layers = await Promise.all(
    digests.map(async (digest) => ({
      digest,
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      size: (await client.hasBlob(repository, digest)) ?? 0,
    })),
  );
  return {
    config: readConfig(config, client.host).config,
    platform: { os: 'linux', architecture },
    layers,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.size, 0),
  };
}

function noPlatform(host: string, wanted: Platform | undefined, offered: Platform[]): RegistryError {
  const list = offered.map(formatPlatform).join(', ') || 'none';
  return new RegistryError(
    'no-platform',
    host,
    wanted
      ? `The image isn't made for ${formatPlatform(wanted)}; it is for ${list}.`
      : 'The index names no image for any platform.',
  );
}

/** What an image name points at, for one platform: digest, layers, size, configuration. */
import { readConfig, readConfigDescriptor, readDocument, readLayers, totalSize } from './manifests.ts';
import { isIndex, isSchema1 } from './media-types.ts';
import {
  type Descriptor,
  type Platform,
  type ReadManifest,
  type RegistryClient,
  RegistryError,
  type ResolvedManifest,
} from './model.ts';
import { platformsOf, readOffers } from './offers.ts';
import { choosePlatform, formatPlatform, isPlatform, parsePlatform } from './platforms.ts';
import { readSchema1 } from './schema1.ts';

const configLimitBytes = 4 * 1024 * 1024;
/** Platforms named in a refusal. */
const shownAtMost = 20;

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
    throw new RegistryError('no-platform', host, `${platform} is not a platform`);
  const top = await client.getManifest(repository, reference);
  const { digest, mediaType } = top;
  if (!isIndex(mediaType)) {
    const image = await readImage(client, repository, top);
    if (wanted && !isPlatform(image.platform, wanted))
      throw noPlatform(host, wanted, [formatPlatform(image.platform)]);
    const platform = formatPlatform(image.platform);
    return { digest, mediaType, platforms: [platform], platformDigest: digest, ...image, platform };
  }
  const { image, platforms } = await chooseImage(client, repository, top, wanted);
  return { digest, mediaType, platforms, ...image, platform: formatPlatform(image.platform) };
}

type ChosenImage = Image & { platformDigest: string };

async function chooseImage(
  client: Reads,
  repository: string,
  top: ReadManifest,
  wanted: Platform | undefined,
): Promise<{ image: ChosenImage; platforms: string[] }> {
  const found = await readOffers(client, repository, top);
  const chosen = choosePlatform(found.offers, wanted);
  if (chosen) {
    const { digest, platform } = chosen;
    const image = await readImage(client, repository, await client.getManifest(repository, digest));
    return { image: { ...image, platform, platformDigest: digest }, platforms: platformsOf(found.offers) };
  }
  const unnamed = await readUnnamed(client, repository, found.unnamed);
  const platforms = platformsOf([...found.offers, ...unnamed]);
  const image = choosePlatform(unnamed, wanted);
  if (!image) throw noPlatform(client.host, wanted, platforms);
  return { image, platforms };
}

/** Of entries that say nothing, engines look into the first few, too. What is no image is passed over. */
const mostUnnamed = 8;

async function readUnnamed(
  client: Reads,
  repository: string,
  entries: readonly Descriptor[],
): Promise<ChosenImage[]> {
  const read: ChosenImage[] = [];
  for (const entry of entries.slice(0, mostUnnamed)) {
    try {
      const manifest = await client.getManifest(repository, entry.digest);
      const image = await readImage(client, repository, manifest);
      read.push({ ...image, platformDigest: entry.digest });
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'refused') throw error;
    }
  }
  return read;
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
    sizeBytes: totalSize([config, ...layers], host),
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
    platform: readConfig({ architecture }, client.host).platform,
    layers,
    sizeBytes: totalSize(layers, client.host),
  };
}

function noPlatform(host: string, wanted: Platform | undefined, offered: string[]): RegistryError {
  const rest = offered.length - shownAtMost;
  const list = offered.slice(0, shownAtMost).join(', ') || 'none';
  return new RegistryError(
    'no-platform',
    host,
    wanted
      ? `The image does not support ${formatPlatform(wanted)}; it supports ${list}${rest > 0 ? ` and ${rest} more` : ''}.`
      : 'The index lists no image for any platform.',
  );
}

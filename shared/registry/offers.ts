/** The images that an index offers, with those of the indexes within it. */
import { type IndexEntry, readIndex } from './manifests.ts';
import { isIndex } from './media-types.ts';
import {
  type Descriptor,
  type Platform,
  type ReadManifest,
  type RegistryClient,
  RegistryError,
} from './model.ts';
import { formatPlatform } from './platforms.ts';

export interface Offer extends Descriptor {
  platform: Platform;
}

export interface Offers {
  /** In the order of the index. */
  offers: Offer[];
  /** What names no platform: only their configurations say what they are for. */
  unnamed: Descriptor[];
}

/** Far more than anybody has: each is one more request to the registry. */
const mostIndexes = 20;
const mostPlatforms = 100;

/** Throws `corrupt` for an index without an end, or for more platforms than there are. */
export async function readOffers(
  client: Pick<RegistryClient, 'host' | 'getManifest'>,
  repository: string,
  top: ReadManifest,
): Promise<Offers> {
  const { host } = client;
  const found: Offers = { offers: [], unnamed: [] };
  const seen = new Set([top.digest]);

  async function visit(index: ReadManifest, outer: Platform | undefined): Promise<void> {
    for (const entry of readIndex(index.document, host)) {
      const { platform = outer, ...descriptor }: IndexEntry = entry;
      if (!isIndex(descriptor.mediaType)) {
        if (platform) found.offers.push({ ...descriptor, platform });
        else found.unnamed.push(descriptor);
        continue;
      }
      if (seen.has(descriptor.digest)) continue;
      if (seen.size >= mostIndexes)
        throw new RegistryError('corrupt', host, `${host} has an index of more than ${mostIndexes} indexes`);
      seen.add(descriptor.digest);
      await visit(await client.getManifest(repository, descriptor.digest), platform);
    }
  }

  await visit(top, undefined);
  if (platformsOf(found.offers).length > mostPlatforms)
    throw new RegistryError('corrupt', host, `${host} has an index for more than ${mostPlatforms} platforms`);
  return found;
}

/** Each once, as `os/arch[/variant]`. */
export const platformsOf = (offers: readonly Pick<Offer, 'platform'>[]): string[] => [
  ...new Set(offers.map(({ platform }) => formatPlatform(platform))),
];

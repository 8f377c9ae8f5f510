/** What an image is made of, as its manifests say: they are read whole, and nothing in them is changed. */
import * as z from 'zod';
import { isDigest } from '../../shared/registry/digest.ts';
import { totalSize } from '../../shared/registry/manifests.ts';
import { isIndex, isSchema1 } from '../../shared/registry/media-types.ts';
import type { Manifest, ReadManifest, RegistryClient } from '../../shared/registry/model.ts';
import { BuildError } from '../build-error.ts';

export interface Blob {
  digest: string;
  /** 0 where the manifest doesn't say it. */
  sizeBytes: number;
}

export interface Contents {
  /** What the tag is to name. */
  top: Manifest;
  /** Manifests that `top` refers to, each after those that it refers to itself. */
  below: Manifest[];
  blobs: Blob[];
}

const mostManifests = 500;
const deepest = 4;

const descriptor = z.object({
  digest: z.string().refine(isDigest),
  size: z.int().nonnegative().nullish(),
  urls: z.array(z.string()).nullish(),
});
const children = z.object({ manifests: z.array(descriptor).max(mostManifests) });
const parts = z.object({
  config: descriptor.nullish(),
  layers: z.array(descriptor).max(1000).nullish(),
  /** Of OCI's short-lived artifact manifests. */
  blobs: z.array(descriptor).max(1000).nullish(),
});

type Source = Pick<RegistryClient, 'host' | 'getManifest' | 'resolveManifest'>;

/** Throws `RegistryError`, and `BuildError` for what can't be copied byte by byte. `platform` is `os/arch[/variant]`. */
export async function readContents(
  client: Source,
  repository: string,
  digest: string,
  platform: string | undefined,
): Promise<Contents> {
  const named = await client.getManifest(repository, digest);
  const top = platform === undefined ? named : await ofPlatform(client, repository, named, platform);
  const below = new Map<string, Manifest>();
  const blobs = new Map<string, Blob>();

  async function visit({ mediaType, document }: ReadManifest, depth: number): Promise<void> {
    if (isSchema1(mediaType))
      throw unsupported('The image has a Docker schema 1 manifest, which current registries refuse.');
    if (depth > deepest) throw unsupported('The indexes of the image are nested too deeply.');
    if (isIndex(mediaType)) {
      for (const child of sound(children, document).manifests) {
        if (below.has(child.digest)) continue;
        if (below.size >= mostManifests)
          throw unsupported(`The image has more than ${mostManifests} manifests.`);
        const found = await client.getManifest(repository, child.digest);
        await visit(found, depth + 1);
        below.set(child.digest, found);
      }
      return;
    }
    const { config, layers, blobs: others } = sound(parts, document);
    // Layers with URLs of their own (old Windows bases) are in no registry.
    for (const one of [...(config ? [config] : []), ...(layers ?? []), ...(others ?? [])])
      if (!one.urls?.length) blobs.set(one.digest, { digest: one.digest, sizeBytes: one.size ?? 0 });
  }
  await visit(top, 0);
  totalSize(
    [...blobs.values()].map(({ sizeBytes }) => ({ size: sizeBytes })),
    client.host,
  );
  return { top, below: [...below.values()], blobs: [...blobs.values()] };
}

/** The same as at a launch. */
async function ofPlatform(
  client: Source,
  repository: string,
  named: ReadManifest,
  platform: string,
): Promise<ReadManifest> {
  // An image that is no index was looked at when the mirror was asked for.
  if (!isIndex(named.mediaType)) return named;
  const { platformDigest } = await client.resolveManifest(repository, named.digest, platform);
  return client.getManifest(repository, platformDigest);
}

const unsupported = (message: string) => new BuildError({ code: 'source-unsupported', message });

function sound<T extends z.ZodType>(schema: T, document: unknown): z.output<T> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw unsupported(`A manifest is invalid at ${result.error.issues[0]?.path.join('.') || 'its root'}.`);
}

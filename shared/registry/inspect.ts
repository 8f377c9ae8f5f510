/** I6: an image as its registry has it, with the manifests themselves. */
import { type ManifestVersion, manifestVersions } from './media-types.ts';
import { type ReadManifest, type RegistryClient, RegistryError, type ResolvedManifest } from './model.ts';
import { type Reads, resolveManifest } from './resolve-manifest.ts';

export interface InspectedManifest extends ReadManifest {
  version: ManifestVersion;
}

export interface Inspected extends ResolvedManifest {
  /** What was read on the way: the index, if there is one, then the manifest of the chosen platform. */
  manifests: InspectedManifest[];
}

type Inspects = Reads & Pick<RegistryClient, 'getManifest'>;

/** Asks for nothing twice. Throws `RegistryError` as `resolveManifest` does. */
export async function inspectImage(
  client: Inspects,
  repository: string,
  reference: string,
  platform?: string,
): Promise<Inspected> {
  const manifests: InspectedManifest[] = [];
  const recording: Reads = {
    host: client.host,
    readBlob: client.readBlob,
    hasBlob: client.hasBlob,
    async getManifest(...asked) {
      const manifest = await client.getManifest(...asked);
      manifests.push({ ...manifest, version: versionOf(manifest) });
      return manifest;
    },
  };
  const resolved = await resolveManifest(recording, repository, reference, platform);
  return { ...resolved, manifests };
}

/** Refusals that mean no more than that this version isn't served. */
const notServed = new Set(['not-found', 'refused', 'corrupt']);

/** Every version of manifest that the registry gives out for `reference`, each asked for by itself. */
export async function servedVersions(
  client: Inspects,
  repository: string,
  reference: string,
): Promise<InspectedManifest[]> {
  const asked = Object.entries(manifestVersions).map(async ([version, types]) => {
    try {
      const manifest = await client.getManifest(repository, reference, types.join(', '));
      // Some answer what they have, whatever was asked for.
      return versionOf(manifest) === version ? [{ ...manifest, version }] : [];
    } catch (error) {
      if (error instanceof RegistryError && notServed.has(error.code)) return [];
      throw error;
    }
  });
  return (await Promise.all(asked)).flat() as InspectedManifest[];
}

const versions = new Map<string, ManifestVersion>();
for (const [version, types] of Object.entries(manifestVersions))
  for (const type of types) versions.set(type, version as ManifestVersion);

/** A manifest that names a type of its own was read as OCI's form, which all newer ones share. */
const versionOf = ({ mediaType }: ReadManifest): ManifestVersion => versions.get(mediaType) ?? 'oci';

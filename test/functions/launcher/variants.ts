/** Indexes in which a host may choose another image than the launcher: container engines prefer newer variants of amd64. */
import { ociIndex } from '../../../shared/registry/media-types.ts';
import type { RegistryClient } from '../../../shared/registry/model.ts';

/**
 * Puts linux/amd64 and linux/amd64/v3 together under tag 1. `publish` puts an image of these instructions under the
 * same tag. Answers the digests of the index and of the first.
 */
export async function putVariants(
  client: RegistryClient,
  repository: string,
  publish: (instructions: string[]) => Promise<unknown>,
  plain: string[],
  v3: string[],
): Promise<{ index: string; plain: string }> {
  const entry = async (instructions: string[], variant: object) => {
    await publish(instructions);
    const { mediaType, digest, body } = await client.getManifest(repository, '1');
    return {
      mediaType,
      digest,
      size: body.length,
      platform: { os: 'linux', architecture: 'amd64', ...variant },
    };
  };
  const manifests = [await entry(plain, {}), await entry(v3, { variant: 'v3' })];
  const body = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests });
  const index = await client.putManifest(repository, '1', ociIndex, Buffer.from(body));
  return { index, plain: manifests[0]?.digest ?? '' };
}

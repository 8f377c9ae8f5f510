import type { RegistryAccess } from '../registry/access.ts';
import { type ImageLocation, joinReference, parseReference } from '../registry/reference.ts';
import type { CopyTag } from './attached.ts';

/** One manifest read and put under its other name: layers stay where they are. */
export const createCopyTag =
  (access: RegistryAccess): CopyTag =>
  async (organisation, from, digest, to) => {
    const [source, target] = [located(from), located(to)];
    if (source.host !== target.host || source.repository !== target.repository || target.tag === undefined)
      throw new Error(`${to} is no other tag of ${from}`);
    const client = await access.clientFor(organisation, target.host, target.repository);
    const { mediaType, body } = await client.getManifest(source.repository, digest);
    await client.putManifest(target.repository, target.tag, mediaType, body);
  };

function located(uri: string): ImageLocation {
  const reference = parseReference(uri);
  if (reference.host === undefined) throw new Error(`${uri} names no registry`);
  return joinReference(reference, reference.host);
}

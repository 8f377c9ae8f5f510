/** What refers to an image: signatures, SBOMs, attestations. */
import * as z from 'zod';
import { isDigest } from './digest.ts';
import { readDocument } from './manifests.ts';
import { ociIndex } from './media-types.ts';
import { type Referrer, type RegistryClient, RegistryError } from './model.ts';
import type { Session } from './session.ts';

const referrer = z.looseObject({
  mediaType: z.string(),
  digest: z.string().refine(isDigest),
  size: z.int().nonnegative(),
});
const listSchema = z.object({ manifests: z.array(referrer) });

const listLimitBytes = 4 * 1024 * 1024;

/** Tag of the list in registries that keep none. */
export const referrersTag = (digest: string) => digest.replace(':', '-').slice(0, 71);

export function referrerLists(session: Session, host: string, pull: (repository: string) => string[]) {
  async function list(repository: string, path: string): Promise<Referrer[] | undefined> {
    try {
      const { body } = await session.read(
        {
          method: 'GET',
          url: `/v2/${repository}/${path}`,
          scopes: pull(repository),
          headers: { accept: ociIndex },
          expected: [200],
        },
        listLimitBytes,
      );
      return listSchema.safeParse(readDocument(body, host)).data?.manifests;
    } catch (error) {
      if (error instanceof RegistryError && isUnknown(error)) return undefined;
      throw error;
    }
  }

  const listReferrers: RegistryClient['listReferrers'] = async (repository, digest) => {
    const listed = await list(repository, `referrers/${digest}`);
    if (listed) return { manifests: listed, kept: true };
    return { manifests: (await list(repository, `manifests/${referrersTag(digest)}`)) ?? [], kept: false };
  };
  return { listReferrers };
}

/** Registries that are older than referrers answer 404, 400, 401 or a page. */
const isUnknown = ({ code, status = 500 }: RegistryError) =>
  code === 'corrupt' || (status < 500 && code !== 'rate-limited');

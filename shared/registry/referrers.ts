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
/** Of one image. A list with more is read until it is known to be longer. */
export const mostReferrers = 200;
const mostPages = 50;

/** Tag of the list in registries that keep none. */
export const referrersTag = (digest: string) => digest.replace(':', '-').slice(0, 71);

export function referrerLists(session: Session, host: string, pull: (repository: string) => string[]) {
  async function page(repository: string, url: string) {
    const { headers, body } = await session.read(
      { method: 'GET', url, scopes: pull(repository), headers: { accept: ociIndex }, expected: [200] },
      listLimitBytes,
    );
    const manifests = listSchema.safeParse(readDocument(body, host)).data?.manifests;
    return { manifests, next: nextPage(headers.link, url) };
  }

  async function list(repository: string, path: string): Promise<Referrer[] | undefined> {
    const first = await page(repository, `/v2/${repository}/${path}`).catch((error: unknown) => {
      if (error instanceof RegistryError && isUnknown(error)) return undefined;
      throw error;
    });
    if (!first?.manifests) return undefined;
    const found = new Map(first.manifests.map((one) => [one.digest, one]));
    let { next } = first;
    // A signature that is left out is missed by nobody until it is needed: a list that can't be read on is an error.
    for (let pages = 1; next !== undefined && found.size <= mostReferrers; pages++) {
      const more = pages < mostPages ? await page(repository, next) : undefined;
      if (!more?.manifests)
        throw new RegistryError(
          'corrupt',
          host,
          `${host} returns an endless list of artifacts that refer to an image`,
        );
      for (const one of more.manifests) found.set(one.digest, one);
      next = more.next;
    }
    return [...found.values()];
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

/** Where the list goes on, at the same registry whatever host it names. */
function nextPage(link: string | string[] | undefined, current: string): string | undefined {
  const [, target] = /<([^>]*)>[^,<]*;\s*rel="?next\b/i.exec(String(link ?? '')) ?? [];
  const base = 'http://registry.invalid';
  if (target === undefined || !URL.canParse(target, `${base}${current}`)) return undefined;
  const { pathname, search } = new URL(target, `${base}${current}`);
  // Two slashes in front would name a host.
  return `${pathname.replace(/^\/+/, '/')}${search}`;
}

/** Takes along what refers to an image, such as its signatures and SBOMs, so that it can be checked where it goes. */
import { ociIndex } from '../../shared/registry/media-types.ts';
import type { Manifest, Referrer } from '../../shared/registry/model.ts';
import { mostReferrers, referrersTag } from '../../shared/registry/referrers.ts';
import { readContents } from './contents.ts';
import { type BlobCounts, copyBlobs, type Side } from './copy-blobs.ts';
import { fromSource, toTarget } from './refusals.ts';

/** What cosign tags beside an image, for registries that know nothing of referrers. */
const cosignSuffixes = ['.sig', '.att', '.sbom'];
/** A signature of an SBOM refers to what refers to the image. */
const deepest = 2;

/** `subjects` are in the target by now. Adds to `counts`. Throws `BuildError`. */
export async function copyReferrers(
  from: Side,
  to: Side,
  subjects: Pick<Manifest, 'digest'>[],
  counts: BlobCounts,
  say: (line: string) => void,
  depth = 1,
): Promise<void> {
  for (const { digest } of subjects) {
    const listed = await fromSource(() => from.client.listReferrers(from.repository, digest));
    const manifests = listed.manifests.slice(0, mostReferrers);
    if (manifests.length < listed.manifests.length)
      say(`${digest} has more than ${mostReferrers} referrers; copying the first ${mostReferrers}`);
    for (const one of manifests) {
      await copyOne(from, to, one.digest, undefined, counts, say);
      say(`referrer ${one.digest} ${one.artifactType ?? one.mediaType} of ${digest}`);
    }
    if (manifests.length > 0) await noteReferrers(to, digest, manifests);
    if (depth < deepest) await copyReferrers(from, to, manifests, counts, say, depth + 1);
    if (depth === 1) await copyTagged(from, to, digest, counts, say);
  }
}

/** A registry that keeps no list of its own has it under a tag, which is every client's to write. */
async function noteReferrers(to: Side, digest: string, added: Referrer[]): Promise<void> {
  const { manifests, kept } = await toTarget(() => to.client.listReferrers(to.repository, digest));
  const missing = added.filter((one) => !manifests.some((there) => there.digest === one.digest));
  if (kept || missing.length === 0) return;
  const list = { schemaVersion: 2, mediaType: ociIndex, manifests: [...manifests, ...missing] };
  const body = Buffer.from(JSON.stringify(list));
  await toTarget(() => to.client.putManifest(to.repository, referrersTag(digest), ociIndex, body));
}

/** What the target has under such a tag already stays. */
async function copyTagged(
  from: Side,
  to: Side,
  digest: string,
  counts: BlobCounts,
  say: (line: string) => void,
): Promise<void> {
  const tags = cosignSuffixes.map((suffix) => `${referrersTag(digest)}${suffix}`);
  const lookUp = async (tag: string) => ({
    tag,
    found: await fromSource(() => from.client.headManifest(from.repository, tag)),
  });
  for (const { tag, found } of await Promise.all(tags.map(lookUp))) {
    if (!found || (await toTarget(() => to.client.headManifest(to.repository, tag)))) continue;
    await copyOne(from, to, found.digest, tag, counts, say);
    say(`referrer ${found.digest} ${tag}`);
  }
}

async function copyOne(
  from: Side,
  to: Side,
  digest: string,
  tag: string | undefined,
  counts: BlobCounts,
  say: (line: string) => void,
): Promise<void> {
  const { top, below, blobs } = await fromSource(() =>
    readContents(from.client, from.repository, digest, undefined),
  );
  const added = await copyBlobs(from, to, blobs, say);
  for (const name of Object.keys(added) as (keyof BlobCounts)[]) counts[name] += added[name];
  for (const { digest, mediaType, body } of below)
    await toTarget(() => to.client.putManifest(to.repository, digest, mediaType, body));
  await toTarget(() => to.client.putManifest(to.repository, tag ?? digest, top.mediaType, top.body));
}

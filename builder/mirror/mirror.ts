/** I7: a mirror, in the phases of a build. All but the tag is copied first; the tag is one request at the very end. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allInOrder } from '../../shared/concurrency/all-in-order.ts';
import type { BuildResult, MirrorSpec } from '../../shared/model/build-spec.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import type { Manifest } from '../../shared/registry/model.ts';
import { formatReference } from '../../shared/registry/reference.ts';
import type { Aws } from '../aws.ts';
import { BuildError } from '../build-error.ts';
import { fetchCredentials } from '../credentials.ts';
import { say } from '../output.ts';
import { networkOf } from '../registries.ts';
import type { State, Work } from '../work.ts';
import { readContents } from './contents.ts';
import { type BlobCounts, copyBlobs, type Side } from './copy-blobs.ts';
import { copyReferrers } from './copy-referrers.ts';
import { fromSource, toTarget } from './refusals.ts';

interface Sides {
  source: Side;
  target: Side;
}

/** What copying leaves to tagging. */
interface Copied extends BlobCounts {
  mediaType: string;
  digest: string;
  body: string;
}

const copiedFile = (work: Work) => join(work.folder, 'copied.json');

/** `aws` is only called for credentials: its client takes time to load. */
export async function copyImage(
  work: Work,
  { spec, timingsMs }: State<MirrorSpec>,
  aws: () => Promise<Aws>,
): Promise<void> {
  const started = performance.now();
  const { source, target } = await sidesOf(spec, aws);
  await allInOrder([requireUnchanged(spec, source), requireFree(spec, target)]);
  const { top, below, blobs } = await fromSource(() =>
    readContents(source.client, source.repository, spec.source.digest, spec.platform),
  );
  const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  say(`blobs: ${blobs.length} (${bytes} bytes), manifests: ${below.length + 1}`);
  const counts = await copyBlobs(source, target, blobs, say);
  for (const manifest of below) {
    await toTarget(() => put(target, manifest.digest, manifest));
    say(`manifest ${manifest.digest} ${manifest.body.length} bytes`);
  }
  // Without a tag yet: some registries take only referrers of what they have.
  await toTarget(() => put(target, top.digest, top));
  await copyReferrers(source, target, [top, ...below], counts, say);
  const copied: Copied = {
    ...counts,
    mediaType: top.mediaType,
    digest: top.digest,
    body: top.body.toString('base64'),
  };
  await writeFile(copiedFile(work), JSON.stringify(copied), { mode: 0o600 });
  timingsMs.copy = Math.round(performance.now() - started);
}

export async function tagImage(
  work: Work,
  { spec, timingsMs }: State<MirrorSpec>,
  aws: () => Promise<Aws>,
): Promise<BuildResult> {
  const { mediaType, digest, body, ...counts } = JSON.parse(
    await readFile(copiedFile(work), 'utf8'),
  ) as Copied;
  const { source, target } = await sidesOf(spec, aws);
  // Size and platforms, as any other image's; asked before the tag is written, since nothing may fail after that.
  const [{ sizeBytes, platforms }] = await allInOrder([
    fromSource(() => source.client.resolveManifest(source.repository, digest)),
    requireUnchanged(spec, source),
    requireFree(spec, target),
  ]);
  const started = performance.now();
  await toTarget(() =>
    put(target, spec.target.tag, { mediaType, digest, body: Buffer.from(body, 'base64') }),
  );
  timingsMs.tag = Math.round(performance.now() - started);
  const { host, repository, tag } = spec.target;
  say(`tagged ${formatReference({ host, repository, tag })}@${digest}: ${counts.movedBytes} bytes moved`);
  const from = spec.source;
  const named = formatReference({ host: from.host, repository: from.repository, tag: from.tag, digest });
  return {
    outcome: 'mirrored',
    digest,
    sizeBytes,
    platforms,
    mirror: { source: named, ...counts },
    timingsMs,
  };
}

/** The registry's digest is the source's, or what it has is another image. */
async function put(to: Side, reference: string, { mediaType, digest, body }: Manifest): Promise<void> {
  const written = await to.client.putManifest(to.repository, reference, mediaType, body);
  if (written !== digest) throw new Error(`${digest} became ${written}`);
}

async function sidesOf(spec: MirrorSpec, aws: () => Promise<Aws>): Promise<Sides> {
  const network = networkOf(spec);
  const side = async ({ host, repository, credentials }: MirrorSpec['source'] | MirrorSpec['target']) => {
    const found = credentials ? await fetchCredentials([credentials], await aws()) : {};
    return { client: createRegistryClient({ host, network, credentials: found[host] }), repository };
  };
  const [source, target] = await Promise.all([side(spec.source), side(spec.target)]);
  return { source, target };
}

async function requireUnchanged({ source }: MirrorSpec, { client, repository }: Side): Promise<void> {
  const now = await fromSource(() => client.headManifest(repository, source.tag));
  if (now?.digest === source.digest) return;
  const name = formatReference({ host: source.host, repository, tag: source.tag });
  throw new BuildError({
    code: now ? 'source-changed' : 'source-not-found',
    message: now
      ? `${name} was ${source.digest} when the mirror was requested; now it is ${now.digest}.`
      : `${name} is gone.`,
  });
}

async function requireFree({ target, force }: MirrorSpec, { client, repository }: Side): Promise<void> {
  if (force) return;
  const there = await toTarget(() => client.headManifest(repository, target.tag));
  if (!there) return;
  const name = formatReference({ host: target.host, repository, tag: target.tag });
  throw new BuildError({ code: 'target-exists', message: `${name} already exists (${there.digest}).` });
}

/** I2: an image that exists already, looked up in its registry before anything is written. */

import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { joinRegistry, registryOrDefault } from '../../shared/build/accept/registry.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { busy, invalid } from '../../shared/http/problem.ts';
import { nameLock, nameTaken } from '../../shared/images/names.ts';
import { readmeWrite } from '../../shared/images/readme.ts';
import { findImage, type ImageRecord, imageItem, imagesByName } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { NewImage } from '../../shared/model/image.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import {
  dockerHub,
  formatReference,
  type ImageLocation,
  InvalidReferenceError,
  joinReference,
  parseLocation,
  referenceOf,
} from '../../shared/registry/reference.ts';
import { putWrite } from '../../shared/store/advance.ts';
import { pauseAfter } from '../../shared/store/contention.ts';
import type { KnownRegistry } from '../../shared/store/registries.ts';
import { absent, ConditionFailedError } from '../../shared/store/table.ts';

type Dependencies = Pick<AcceptDependencies, 'table' | 'registries' | 'access'>;

const attempts = 10;

interface Found {
  registry: KnownRegistry | undefined;
  location: ImageLocation;
  /** As people name it below its registry. */
  repository: string;
  tag: string;
  pointer: string;
}

/** Answers the new image; the same `id` again finds the first one. Throws 422 where the registry doesn't have it, 409 where the name is taken. */
export async function addReference(
  dependencies: Dependencies,
  { organisation, email, now }: Asking,
  id: string,
  asked: NewImage,
): Promise<ImageRecord> {
  const { table, access } = dependencies;
  const found = await locate(dependencies, organisation, asked);
  const { location } = found;
  const manifest = await registryAnswer(found.pointer, async () => {
    const { host, repository, digest } = location;
    const client = await access.clientFor(organisation, host, repository);
    // A launch, a mirror and a build on it go by the tag, which may name another digest but has to be there.
    if (digest !== undefined && !(await client.headManifest(repository, found.tag)))
      throw new RegistryError('not-found', host, `${host}/${repository} has no tag ${found.tag}`);
    return client.resolveManifest(repository, referenceOf(location));
  });
  const time = now.toISOString();
  const record: ImageRecord = {
    id,
    version: 1,
    ...(found.registry ? { registryId: found.registry.registry.id } : {}),
    registry: location.host,
    repository: found.repository,
    tag: found.tag,
    uri: formatReference({ host: location.host, repository: location.repository, tag: found.tag }),
    digest: manifest.digest,
    sizeBytes: manifest.sizeBytes,
    platforms: manifest.platforms,
    status: 'ready',
    source: 'reference',
    author: email,
    createdAt: time,
    updatedAt: time,
    hasReadme: asked.readme !== undefined && asked.readme !== '',
    ...(asked.logo ? { logo: asked.logo } : {}),
  };
  // It may be here from before its registry was connected: under two ids its name would mean neither.
  const named = await imagesByName(table, organisation, record.repository, record.tag);
  const twin = named.find((one) => one.uri === record.uri && one.id !== id);
  if (twin) throw nameTaken(record, twin.id, 'Use that image');
  for (let attempt = 1; ; attempt++) {
    try {
      await table.transact([
        putWrite(table, imageItem(table, organisation, record), absent),
        nameLock(table, organisation, record),
        ...(found.registry ? await joinRegistry(dependencies, organisation, found.registry) : []),
        ...(record.hasReadme ? [readmeWrite(table, organisation, id, asked.readme ?? '')] : []),
      ]);
      return record;
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      const first = await findImage(table, organisation, id);
      if (first) return first;
      if (error.existing) throw nameTaken(record, error.existing.imageId, 'Use that image');
      // The registry left or moved just now, which the next attempt says, or others of its images were being written.
      if (attempt >= attempts)
        throw busy('Too many images of this registry are being added at the same time. Try again.');
      await pauseAfter(attempt);
    }
  }
}

async function locate(dependencies: Dependencies, organisation: string, asked: NewImage): Promise<Found> {
  const url = asked.source.type === 'reference' ? asked.source.url : undefined;
  if (url === undefined) {
    const known = await registryOrDefault(dependencies, organisation, asked.registryId);
    const tag = asked.tag ?? 'latest';
    const repository = shortName(known.host, known.path, asked.repository ?? '');
    const location = joinReference({ repository, tag }, known.host, known.path);
    return { registry: known, location, repository, tag, pointer: '/repository' };
  }
  const pointer = '/source/url';
  const named = parsed(url, pointer);
  if (named.digest !== undefined && named.tag === undefined)
    throw invalid({
      pointer,
      message: 'must have a tag beside its digest, since Slipway lists images by tag',
    });
  const location = { ...named, tag: named.tag ?? 'latest' };
  const { host } = location;
  const known = await registryAnswer(pointer, () =>
    dependencies.access.registryOf(organisation, host, location.repository),
  );
  const below = known?.path ? location.repository.slice(known.path.length + 1) : location.repository;
  return {
    registry: known,
    location,
    repository: shortName(host, known?.path ?? '', below),
    tag: location.tag,
    pointer,
  };
}

/** One name for one image: Docker Hub's `library/python` is `python`. */
const shortName = (host: string, path: string, repository: string) =>
  host === dockerHub && path === '' ? repository.replace(/^library\/([^/]+)$/, '$1') : repository;

function parsed(url: string, pointer: string) {
  try {
    return parseLocation(url);
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw invalid({ pointer, message: error.message });
    throw error;
  }
}

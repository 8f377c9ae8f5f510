/** B1: a new image by building it. */

import { parentReference } from '../../dockerfile/stages.ts';
import type { Asking } from '../../http/asking.ts';
import { parentUriOf } from '../../images/lineage.ts';
import { nameLock, nameTaken } from '../../images/names.ts';
import { readmeWrite } from '../../images/readme.ts';
import { findImage, type ImageRecord, imageItem } from '../../images/record.ts';
import type { NewImage } from '../../model/image.ts';
import { putWrite } from '../../store/advance.ts';
import { absent, type Table } from '../../store/table.ts';
import type { BuildRequest } from '../request.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { acceptOnce } from './once.ts';
import { tryStart } from './place.ts';
import type { BuildIds, Plan, Together } from './plan.ts';
import { withDockerfile } from './recipe.ts';
import { joinRegistry } from './registry.ts';
import { readBuildRequest } from './request.ts';
import { type Target, targetOf } from './target.ts';
import { underWay } from './under-way.ts';

/** Accepts a build and the image it will make. Throws 422 (`registry-is-public` among them) and 409 `image-exists`, with nothing written. */
export async function buildImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  ids: BuildIds,
  asked: NewImage,
  together: Together = {},
): Promise<ImageRecord> {
  return (await planImage(dependencies, asking, ids, asked, together)).accept();
}

/** Checks all of a request. Throws as `buildImage` does. */
export async function planImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  ids: BuildIds,
  asked: NewImage,
  { also = [], lookUp, warnings = [] }: Together,
): Promise<Plan> {
  const { table } = dependencies;
  const { organisation } = asking;
  const { source: given } = asked;
  if (given.type !== 'build') throw new Error('the source is not a build');
  const made = await withDockerfile(dependencies, organisation, given);
  const target = await targetOf(dependencies, organisation, asked);
  const read = await readBuildRequest(dependencies, organisation, { ...made.source, lookUp }, '/source');
  const { imageId, buildId } = ids;
  const { uri } = target;
  const registryId = target.registry.registry.id;
  return {
    ...read,
    imageId,
    uri,
    async accept(bases = {}, later = false) {
      const request: BuildRequest = { ...read.request, bases: { ...read.request.bases, ...bases } };
      const record = newRecord(asking, ids, asked, target, request);
      const accepted = await acceptOnce(
        dependencies,
        asking,
        { id: buildId, imageId, uri, registryId, request, warnings: [...warnings, ...made.warnings] },
        {
          unknownBases: read.unknownBases,
          force: given.force ?? false,
          image: { uri, isSame: (image) => isSameBeside(table, organisation, image, asked) },
        },
        async (cached) => [
          putWrite(
            table,
            imageItem(table, organisation, { ...record, ...underWay(buildId, cached) }),
            absent,
          ),
          nameLock(table, organisation, record),
          ...(await joinRegistry(dependencies, organisation, target.registry)),
          ...(record.hasReadme ? [readmeWrite(table, organisation, imageId, asked.readme ?? '')] : []),
          ...also,
        ],
        (existing) => {
          throw nameTaken(record, existing.imageId);
        },
      );
      if (accepted.image) return accepted.image;
      if (!later) await tryStart(dependencies, organisation, accepted.build.id);
      return (await findImage(table, organisation, imageId)) ?? record;
    },
  };
}

function newRecord(
  { email, now }: Asking,
  { imageId, buildId }: BuildIds,
  asked: NewImage,
  { registry, repository, tag, uri }: Target,
  request: BuildRequest,
): ImageRecord {
  const time = now.toISOString();
  return {
    id: imageId,
    version: 1,
    registryId: registry.registry.id,
    registry: registry.host,
    repository,
    tag,
    uri,
    status: 'pending',
    source: 'build',
    author: email,
    createdAt: time,
    updatedAt: time,
    hasReadme: asked.readme !== undefined && asked.readme !== '',
    ...(asked.logo ? { logo: asked.logo } : {}),
    ...underWay(buildId),
    parentUri: parentUriOf(parentReference(request.dockerfile, request.buildArgs)),
  };
}

/** Whether an image also has what a request says besides the build. */
async function isSameBeside(
  table: Table,
  organisation: string,
  image: ImageRecord,
  { readme = '', logo }: NewImage,
): Promise<boolean> {
  if (image.logo !== logo) return false;
  const kept = image.hasReadme ? await table.get(organisation, 'readmes', image.id) : undefined;
  return String(kept?.text ?? '') === readme;
}

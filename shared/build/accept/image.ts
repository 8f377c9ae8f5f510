/** B1, B2: a new image by building it, and an image built again. */

import { parentReference } from '../../dockerfile/stages.ts';
import type { Asking } from '../../http/asking.ts';
import { conflict, invalid } from '../../http/problem.ts';
import { requireImage } from '../../images/find.ts';
import { parentUriOf } from '../../images/lineage.ts';
import { nameLock, nameTaken } from '../../images/names.ts';
import { readmeWrite } from '../../images/readme.ts';
import { findImage, type ImageRecord, imageItem } from '../../images/record.ts';
import type { Rebuild } from '../../model/build.ts';
import type { NewImage } from '../../model/image.ts';
import { formatReference, joinReference } from '../../registry/reference.ts';
import { putWrite } from '../../store/advance.ts';
import { absent, type Table, versionIs } from '../../store/table.ts';
import { readRequest } from '../request.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { acceptOnce } from './once.ts';
import { tryStart } from './place.ts';
import { withDockerfile } from './recipe.ts';
import { joinRegistry, notConnected, pushable, whileConnected } from './registry.ts';
import { readBuildRequest } from './request.ts';

/** Narrower than what other registries take. */
const ecrRepository = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export interface BuildIds {
  imageId: string;
  buildId: string;
}

/** Accepts a build and the image it will make. Throws 422 (`registry-is-public` among them) and 409 `image-exists`, with nothing written. */
export async function buildImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  { imageId, buildId }: BuildIds,
  asked: NewImage,
): Promise<ImageRecord> {
  const { table } = dependencies;
  const { organisation, email, now } = asking;
  if (asked.source.type !== 'build') throw new Error('the source is not a build');
  const source = await withDockerfile(dependencies, organisation, asked.source);
  const target = await pushable(dependencies, organisation, asked.registryId);
  const { request, unknownBases } = await readBuildRequest(dependencies, organisation, source, '/source');
  const tag = asked.tag ?? 'latest';
  const repository = asked.repository ?? '';
  const location = joinReference({ repository, tag }, target.host, target.path);
  if (location.repository.length > 255)
    throw invalid({ pointer: '/repository', message: `is too long below ${target.host}/${target.path}` });
  if (target.host === dependencies.ecrRegistry && !ecrRepository.test(location.repository))
    throw invalid({
      pointer: '/repository',
      message: 'ECR wants single `.`, `_` or `-` between letters and digits',
    });
  const uri = formatReference(location);
  const time = now.toISOString();
  const record: ImageRecord = {
    id: imageId,
    version: 1,
    registryId: target.registry.id,
    registry: target.host,
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
    currentBuild: { id: buildId, status: 'queued', cached: false },
    activeBuildId: buildId,
    lastBuildId: buildId,
    parentUri: parentUriOf(parentReference(request.dockerfile, request.buildArgs)),
  };
  const accepted = await acceptOnce(
    dependencies,
    asking,
    { id: buildId, imageId, uri, registryId: target.registry.id, request },
    {
      unknownBases,
      force: asked.source.force ?? false,
      image: { uri, isSame: (image) => isSameBeside(table, organisation, image, asked) },
    },
    async (cached) => [
      putWrite(
        table,
        imageItem(table, organisation, {
          ...record,
          currentBuild: { id: buildId, status: 'queued', cached },
        }),
        absent,
      ),
      nameLock(table, organisation, record),
      ...(await joinRegistry(dependencies, organisation, target.registry.id)),
      ...(record.hasReadme ? [readmeWrite(table, organisation, imageId, asked.readme ?? '')] : []),
    ],
    (existing) => {
      throw nameTaken(record, existing.imageId);
    },
  );
  if (accepted.image) return accepted.image;
  await tryStart(dependencies, organisation, accepted.build.id);
  return (await findImage(table, organisation, imageId)) ?? record;
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

/** B2: builds again; what is left out is as before. Throws 404, and 409 `build-in-progress` while another build runs. */
export async function rebuildImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  { imageId, buildId }: BuildIds,
  asked: Rebuild,
): Promise<ImageRecord> {
  const { table } = dependencies;
  const { organisation, now } = asking;
  const image = await requireImage(table, organisation, imageId);
  const before = image.lastBuildId ? await readRequest(table, organisation, image.lastBuildId) : undefined;
  const dockerfile = asked.dockerfile ?? before?.dockerfile;
  if (dockerfile === undefined)
    throw invalid({ pointer: '/dockerfile', message: 'is needed: this image was never built here' });
  // A repeated request finds its own build under way; it is found again below.
  if (image.lastBuildId !== buildId) {
    const { registryId } = image;
    if (registryId === undefined || !(await dependencies.registries.get(organisation, registryId)))
      throw notConnected(image.registry);
    await pushable(dependencies, organisation, registryId);
  }
  const { request, unknownBases } = await readBuildRequest(
    dependencies,
    organisation,
    {
      dockerfile,
      contextUploadId:
        asked.contextUploadId === undefined ? before?.contextUploadId : (asked.contextUploadId ?? undefined),
      buildArgs: asked.buildArgs ?? before?.buildArgs,
      secrets: asked.secrets ?? before?.secrets,
      computes: asked.computes ?? before?.computes,
      lint: asked.lint,
    },
    '',
  );
  const accepted = await acceptOnce(
    dependencies,
    asking,
    { id: buildId, imageId, uri: image.uri, registryId: image.registryId ?? '', request },
    { unknownBases, force: asked.force ?? false, image: { uri: image.uri, id: imageId } },
    async (cached) => {
      const current = await requireImage(table, organisation, imageId);
      if (current.activeBuildId && current.activeBuildId !== buildId) throw inProgress(current.activeBuildId);
      const next: ImageRecord = {
        ...current,
        version: current.version + 1,
        updatedAt: now.toISOString(),
        // Ready stays ready, with the digest it has, until a build has succeeded.
        status: current.status === 'ready' ? 'ready' : 'pending',
        currentBuild: { id: buildId, status: 'queued', cached },
        activeBuildId: buildId,
        lastBuildId: buildId,
        parentUri: parentUriOf(parentReference(request.dockerfile, request.buildArgs)),
      };
      return [
        putWrite(table, imageItem(table, organisation, next), versionIs(current.version)),
        ...(await whileConnected(dependencies, organisation, image.registryId ?? '')),
      ];
    },
    // Somebody changed the image in between: it is read again.
    () => undefined,
  );
  if (accepted.image) return accepted.image;
  await tryStart(dependencies, organisation, accepted.build.id);
  return requireImage(table, organisation, imageId);
}

export const inProgress = (buildId: string) =>
  conflict(
    'build-in-progress',
    `Build ${buildId} of this image is under way: wait for it, or stop it first.`,
    [buildId],
  );

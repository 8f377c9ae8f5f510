/** I7: copies an image into a private registry, as a job of the form of builds. */

import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { placeBuild, tryStart } from '../../shared/build/accept/place.ts';
import type { BuildIds } from '../../shared/build/accept/plan.ts';
import { joinRegistry, pushable, whileConnected } from '../../shared/build/accept/registry.ts';
import { requireFree, underWay } from '../../shared/build/accept/under-way.ts';
import { buildComputes } from '../../shared/build/computes.ts';
import type { MirrorRequest } from '../../shared/build/job-request.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { conflict, invalid, ProblemError } from '../../shared/http/problem.ts';
import { anyImage, requireImage } from '../../shared/images/find.ts';
import { nameLock, nameTaken } from '../../shared/images/names.ts';
import { findImage, type ImageRecord, imageItem, imagesByName } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { NewMirror } from '../../shared/model/image.ts';
import { isUploaded } from '../../shared/model/logo.ts';
import { defaultRegistryIds } from '../../shared/registry/defaults.ts';
import { formatReference, type ImageLocation, joinReference } from '../../shared/registry/reference.ts';
import { putWrite } from '../../shared/store/advance.ts';
import type { KnownRegistry } from '../../shared/store/registries.ts';
import { absent, versionIs, type Write } from '../../shared/store/table.ts';
import { sourceDigest, sourceOf } from './source.ts';

/**
 * Answers the image that the mirror will make; with `force`, the one that has the name already, which stays what it is
 * until the mirror has succeeded. Throws 404, 422 (`registry-is-public`, and what the registries say) and 409
 * (`target-exists`, `image-exists`, `build-in-progress`), with nothing written.
 */
export async function mirrorImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  sourceImageId: string,
  ids: BuildIds,
  asked: NewMirror,
): Promise<ImageRecord> {
  const { table, stage } = dependencies;
  const { organisation } = asking;
  const source = await anyImage(dependencies, organisation, sourceImageId);
  const target = await pushable(dependencies, organisation, asked.registryId ?? defaultRegistryIds.private);
  const repository = asked.repository ?? source.repository;
  const tag = asked.tag ?? source.tag;
  const location = joinReference({ repository, tag }, target.host, target.path);
  if (location.repository.length > 255)
    throw invalid({
      pointer: '/repository',
      message: `must be shorter: ${target.host}/${target.path} comes before it in the image's name`,
    });
  const uri = formatReference(location);
  if (uri === source.uri)
    throw invalid({ pointer: '/repository', message: 'is already the location of this image' });

  const [same] = (await imagesByName(table, organisation, repository, tag)).filter(
    ({ registryId }) => registryId === target.registry.id,
  );
  // Of a repeated request, its own.
  const repeated = same?.lastBuildId === ids.buildId;
  // A mirror that failed has left a name and no image: it is what is begun again.
  const isVacant = same?.source === 'mirror' && same.status === 'failed';
  if (same && !asked.force && !repeated && !isVacant)
    throw nameTaken(same, same.id, 'Set "force": true to replace it');
  const from = sourceOf(source);
  const digest = await sourceDigest(dependencies, organisation, from, asked.platform);
  if (!asked.force && !repeated) await requireFreeTarget(dependencies, organisation, location, uri);

  const imageId = same?.id ?? ids.imageId;
  const request: MirrorRequest = {
    kind: 'mirror',
    computes: buildComputes(stage).map(({ name }) => name),
    sourceImageId,
    source: { ...from, digest },
    target: { host: location.host, repository: location.repository, tag },
    ...(asked.platform === undefined ? {} : { platform: asked.platform }),
    force: asked.force,
  };
  const build = await placeBuild(
    dependencies,
    asking,
    { id: ids.buildId, imageId, uri, registryId: target.registry.id, sourceImageId, request },
    async () => [
      ...(same
        ? [
            await takenOver(dependencies, asking, imageId, ids.buildId),
            ...(await whileConnected(dependencies, organisation, target.registry.id)),
          ]
        : await newImage(dependencies, asking, ids, target, {
            repository,
            tag,
            uri,
            // An uploaded one stays with the image that it was uploaded for.
            ...(source.logo && !isUploaded(source.logo) ? { logo: source.logo } : {}),
          })),
    ],
    (existing) => {
      if (!same) throw nameTaken({ uri }, existing.imageId);
    },
  );
  await tryStart(dependencies, organisation, build.id);
  return requireImage(table, organisation, build.imageId);
}

async function requireFreeTarget(
  { access }: AcceptDependencies,
  organisation: string,
  { host, repository, tag }: ImageLocation,
  uri: string,
): Promise<void> {
  const there = await registryAnswer('/registryId', async () => {
    const client = await access.clientFor(organisation, host, repository);
    return client.headManifest(repository, tag ?? 'latest');
  });
  if (there)
    throw conflict(
      'target-exists',
      `${uri} already exists (${there.digest}). Choose another tag, or set "force": true to move this one.`,
    );
}

async function newImage(
  dependencies: AcceptDependencies,
  { organisation, email, now }: Asking,
  { imageId, buildId }: BuildIds,
  target: KnownRegistry,
  named: Pick<ImageRecord, 'repository' | 'tag' | 'uri' | 'logo'>,
): Promise<Write[]> {
  const { table } = dependencies;
  const time = now.toISOString();
  const record: ImageRecord = {
    ...named,
    registryId: target.registry.id,
    registry: target.host,
    id: imageId,
    version: 1,
    status: 'pending',
    source: 'mirror',
    author: email,
    createdAt: time,
    updatedAt: time,
    ...underWay(buildId),
  };
  return [
    putWrite(table, imageItem(table, organisation, record), absent),
    nameLock(table, organisation, record),
    ...(await joinRegistry(dependencies, organisation, target)),
  ];
}

async function takenOver(
  { table }: AcceptDependencies,
  { organisation, now }: Asking,
  imageId: string,
  buildId: string,
): Promise<Write> {
  const current = await findImage(table, organisation, imageId);
  if (!current)
    throw new ProblemError(409, 'busy', 'The image was deleted while this request ran. Try again.');
  requireFree(current, buildId);
  const next: ImageRecord = {
    ...current,
    version: current.version + 1,
    updatedAt: now.toISOString(),
    status: current.status === 'ready' ? 'ready' : 'pending',
    ...underWay(buildId),
  };
  return putWrite(table, imageItem(table, organisation, next), versionIs(current.version));
}

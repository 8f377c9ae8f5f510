/** B2: an image built again. */

import type * as z from 'zod';
import { parentReference } from '../../dockerfile/stages.ts';
import type { Asking } from '../../http/asking.ts';
import { invalid } from '../../http/problem.ts';
import { requireImage } from '../../images/find.ts';
import { parentUriOf } from '../../images/lineage.ts';
import { type ImageRecord, imageItem } from '../../images/record.ts';
import { buildArgs, buildSecrets, type Rebuild } from '../../model/new-build.ts';
import { putWrite } from '../../store/advance.ts';
import { versionIs } from '../../store/table.ts';
import { buildCompute } from '../computes.ts';
import { type BuildRequest, readRequest } from '../request.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { acceptOnce } from './once.ts';
import { tryStart } from './place.ts';
import type { BuildIds, Plan, Together } from './plan.ts';
import { withDockerfile } from './recipe.ts';
import { notConnected, pushable, whileConnected } from './registry.ts';
import { readBuildRequest } from './request.ts';
import { requireFree, underWay } from './under-way.ts';

/** Builds again; what is left out is as before. Throws 404, and 409 `build-in-progress` while another build runs. */
export async function rebuildImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  ids: BuildIds,
  asked: Rebuild,
  together: Together = {},
): Promise<ImageRecord> {
  return (await planRebuild(dependencies, asking, ids, asked, together)).accept();
}

/** Checks all of a request. Throws as `rebuildImage` does. */
export async function planRebuild(
  dependencies: AcceptDependencies,
  asking: Asking,
  { imageId, buildId }: BuildIds,
  asked: Rebuild,
  { also = [], lookUp, warnings = [] }: Together,
): Promise<Plan> {
  const { table } = dependencies;
  const { organisation, now } = asking;
  const image = await requireImage(table, organisation, imageId);
  const before = image.lastBuildId ? await readRequest(table, organisation, image.lastBuildId) : undefined;
  const { dockerfile = before?.dockerfile, from } = asked;
  if (dockerfile === undefined && from === undefined)
    throw invalid({ pointer: '/dockerfile', message: 'is required: Slipway has never built this image' });
  // A Dockerfile in place of a recipe ends it; what is left out stays what it was, generated or not.
  const recipe = asked.dockerfile === undefined ? (from ?? before?.from) : undefined;
  const made = await withDockerfile(dependencies, organisation, { dockerfile, from }, '/from');
  // A repeated request finds its own build under way; it is found again below.
  if (image.lastBuildId !== buildId) {
    const { registryId } = image;
    if (registryId === undefined || !(await dependencies.registries.get(organisation, registryId)))
      throw notConnected(image.registry);
    await pushable(dependencies, organisation, registryId);
  }
  const read = await readBuildRequest(
    dependencies,
    organisation,
    {
      dockerfile: made.source.dockerfile,
      from: recipe,
      contextUploadId:
        asked.contextUploadId === undefined ? before?.contextUploadId : (asked.contextUploadId ?? undefined),
      buildArgs: changed(before?.buildArgs, asked.buildArgs, buildArgs, '/buildArgs'),
      secrets: changed(before?.secrets, asked.secrets, buildSecrets, '/secrets'),
      computes: asked.computes ?? computesBefore(dependencies, before),
      lint: asked.lint,
      // Never as before: who leaves it out wants an image.
      push: asked.push,
      lookUp,
    },
    '',
  );
  return {
    ...read,
    imageId,
    uri: image.uri,
    before: image,
    async accept(bases = {}, later = false) {
      const request: BuildRequest = { ...read.request, bases: { ...read.request.bases, ...bases } };
      const accepted = await acceptOnce(
        dependencies,
        asking,
        {
          id: buildId,
          imageId,
          uri: image.uri,
          registryId: image.registryId ?? '',
          request,
          warnings: [...warnings, ...made.warnings],
        },
        {
          unknownBases: read.unknownBases,
          force: asked.force ?? false,
          image: { uri: image.uri, id: imageId },
        },
        async (cached) => {
          const current = await requireImage(table, organisation, imageId);
          requireFree(current, buildId);
          const next: ImageRecord = {
            ...current,
            version: current.version + 1,
            updatedAt: now.toISOString(),
            ...(request.push === false ? {} : pushing(current, request)),
            ...underWay(buildId, cached),
          };
          return [
            putWrite(table, imageItem(table, organisation, next), versionIs(current.version)),
            ...(await whileConnected(dependencies, organisation, image.registryId ?? '')),
            ...also,
          ];
        },
        // Somebody changed the image in between: it is read again.
        () => undefined,
      );
      if (accepted.image) return accepted.image;
      if (!later) await tryStart(dependencies, organisation, accepted.build.id);
      return requireImage(table, organisation, imageId);
    },
  };
}

/** Name by name as a JSON Merge Patch (RFC 7396) has it. Throws 422 where the whole is more than a build may have. */
function changed(
  before: Record<string, string> = {},
  change: Record<string, string | null> | null | undefined,
  whole: z.ZodType<Record<string, string>>,
  pointer: string,
): Record<string, string> {
  if (change === null) return {};
  const all = Object.entries({ ...before, ...change });
  const next = Object.fromEntries(all.filter((one): one is [string, string] => one[1] !== null));
  const checked = whole.safeParse(next);
  if (checked.success) return next;
  throw invalid(
    ...checked.error.issues.map(({ message }) => ({
      pointer,
      message: `combined with the previous build, ${message}`,
    })),
  );
}

/** Those that the stage still has: nobody has asked for the others now. Nothing, which means all, where none is left. */
function computesBefore({ stage }: AcceptDependencies, before: BuildRequest | undefined) {
  const left = before?.computes.filter((name) => buildCompute(stage, name));
  return left?.length ? left : undefined;
}

/** What changes about an image as soon as another one is to be pushed in its place. */
const pushing = ({ status }: ImageRecord, { dockerfile, buildArgs }: BuildRequest): Partial<ImageRecord> => ({
  // Ready stays ready, with the digest it has, until a build has succeeded.
  status: status === 'ready' ? 'ready' : 'pending',
  parentUri: parentUriOf(parentReference(dockerfile, buildArgs)),
});

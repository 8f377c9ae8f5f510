/** The operations of this function, bound to their use cases. */

import { buildOf } from '../../shared/build/record.ts';
import { publishedImages } from '../../shared/catalogue/images.ts';
import {
  type Answer,
  type Implementation,
  implement,
  type Operation,
  type ValidRequest,
} from '../../shared/http/operation.ts';
import { lineageOf } from '../../shared/images/lineage.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { buildImage, rebuildImage } from './build.ts';
import { removeImage, updateImage } from './change.ts';
import * as contract from './contract.ts';
import type { Asking, ImagesDependencies } from './dependencies.ts';
import { dockerfileOperations } from './dockerfiles.ts';
import { locateImage } from './location.ts';
import { mirrorImage } from './mirror.ts';
import { purgeTag } from './purge.ts';
import { anyImage, listImages, readDockerfile, showImage } from './read.ts';
import { addReference } from './reference.ts';
import { resolveImage } from './resolve.ts';
import { useImage } from './usage.ts';
import { validateImage } from './validate.ts';

const asking = ({ caller, now }: Pick<ValidRequest<Operation>, 'caller' | 'now'>): Asking => ({
  organisation: caller.organisation,
  email: caller.email,
  now,
});

/** What was accepted is followed at its build; what exists, at the image. */
const locationOf = (status: number, { id, lastBuildId }: ImageRecord): string =>
  status === 202 && lastBuildId ? `/v1/builds/${lastBuildId}` : `/v1/images/${id}`;

export const imageOperations = (dependencies: ImagesDependencies): Implementation[] => {
  const { table } = dependencies;
  const answer = async (status: number, organisation: string, record: ImageRecord): Promise<Answer> => ({
    status,
    body: await showImage(table, organisation, record),
    etag: record.version,
    ...(status === 200 ? {} : { headers: { location: locationOf(status, record) } }),
  });
  return [
    ...dockerfileOperations(dependencies),
    implement(contract.listImages, async ({ caller, query }) => ({
      status: 200,
      body: await listImages(table, caller.organisation, query, () =>
        publishedImages(dependencies, caller.organisation),
      ),
    })),
    implement(contract.createImage, async (request) => {
      const { caller, body } = request;
      const imageId = request.newId('image');
      if (body.source.type === 'reference')
        return answer(
          201,
          caller.organisation,
          await addReference(dependencies, asking(request), imageId, body),
        );
      const ids = { imageId, buildId: request.newId('build') };
      return answer(202, caller.organisation, await buildImage(dependencies, asking(request), ids, body));
    }),
    implement(contract.resolveImage, async ({ caller, body }) => ({
      status: 200,
      body: await resolveImage(dependencies, caller.organisation, body.image),
    })),
    implement(contract.getImage, async ({ caller, params }) =>
      answer(200, caller.organisation, await anyImage(dependencies, caller.organisation, params.id)),
    ),
    implement(contract.updateImage, async (request) => {
      const { caller, params, body, ifMatch } = request;
      return answer(
        200,
        caller.organisation,
        await updateImage(table, asking(request), params.id, body, ifMatch),
      );
    }),
    implement(contract.deleteImage, async (request) => {
      const { params, query, ifMatch, caller } = request;
      await removeImage(table, asking(request), params.id, ifMatch, async (image) => {
        if (query.purge) await purgeTag(dependencies, caller.organisation, image);
      });
      return { status: 204 };
    }),
    implement(contract.getImageDockerfile, async ({ caller, params }) => ({
      status: 200,
      body: await readDockerfile(table, caller.organisation, params.id),
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    })),
    implement(contract.createImageBuild, async (request) => {
      const ids = { imageId: request.params.id, buildId: request.newId('build') };
      const record = await rebuildImage(dependencies, asking(request), ids, request.body);
      return answer(202, request.caller.organisation, record);
    }),
    implement(contract.createImageMirror, async (request) => {
      const { caller, params, body } = request;
      const ids = { imageId: request.newId('image'), buildId: request.newId('build') };
      const record = await mirrorImage(dependencies, asking(request), params.id, ids, body);
      return answer(202, caller.organisation, record);
    }),
    implement(contract.createImageValidation, async (request) => {
      const ids = { imageId: request.params.id, buildId: request.newId('build') };
      const job = await validateImage(dependencies, asking(request), ids, request.body.checks);
      return {
        status: 202,
        body: buildOf(job),
        etag: job.version,
        headers: { location: `/v1/builds/${job.id}` },
      };
    }),
    implement(contract.getImageUsage, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return { status: 200, body: await useImage(dependencies, caller.organisation, image) };
    }),
    implement(contract.getImageLineage, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return { status: 200, body: await lineageOf(dependencies, caller.organisation, image) };
    }),
    implement(contract.getImageLocation, async ({ caller, params }) => ({
      status: 200,
      body: await locateImage(dependencies, caller.organisation, params.id),
    })),
  ];
};

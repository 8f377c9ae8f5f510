/** What starts work on images, or looks one up before it is added, bound to its use cases. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { buildImage } from '../../shared/build/accept/image.ts';
import { rebuildImage } from '../../shared/build/accept/rebuild.ts';
import { buildOf } from '../../shared/build/record.ts';
import { askingOf } from '../../shared/http/asking.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { imageAnswer } from '../../shared/images/answer.ts';
import * as contract from './contract.ts';
import { dockerfileOperations } from './dockerfiles.ts';
import { mirrorImage } from './mirror.ts';
import { addReference } from './reference.ts';
import { validateImage } from './validate.ts';

export const imageJobOperations = (dependencies: AcceptDependencies): Implementation[] => {
  const { table } = dependencies;
  return [
    ...dockerfileOperations(dependencies),
    implement(contract.createImage, async (request) => {
      const { caller, body } = request;
      const imageId = request.newId('image');
      if (body.source.type === 'reference')
        return imageAnswer(
          table,
          201,
          caller.organisation,
          await addReference(dependencies, askingOf(request), imageId, body),
        );
      const ids = { imageId, buildId: request.newId('build') };
      return imageAnswer(
        table,
        202,
        caller.organisation,
        await buildImage(dependencies, askingOf(request), ids, body),
      );
    }),
    implement(contract.createImageBuild, async (request) => {
      const ids = { imageId: request.params.id, buildId: request.newId('build') };
      const record = await rebuildImage(dependencies, askingOf(request), ids, request.body);
      return imageAnswer(table, 202, request.caller.organisation, record);
    }),
    implement(contract.createImageMirror, async (request) => {
      const { caller, params, body } = request;
      const ids = { imageId: request.newId('image'), buildId: request.newId('build') };
      const record = await mirrorImage(dependencies, askingOf(request), params.id, ids, body);
      return imageAnswer(table, 202, caller.organisation, record);
    }),
    implement(contract.createImageValidation, async (request) => {
      const ids = { imageId: request.params.id, buildId: request.newId('build') };
      const job = await validateImage(dependencies, askingOf(request), ids, request.body.checks);
      return {
        status: 202,
        body: buildOf(job),
        etag: job.version,
        headers: { location: `/v1/builds/${job.id}` },
      };
    }),
  ];
};

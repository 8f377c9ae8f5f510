/** B12: an experiment that begins with the build of its image. */
import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { buildImage } from '../../shared/build/accept/image.ts';
import { newImageOf, rebuildOf, within } from '../../shared/build/accept/named.ts';
import type { BuildIds } from '../../shared/build/accept/plan.ts';
import { rebuildImage } from '../../shared/build/accept/rebuild.ts';
import { followWrite } from '../../shared/build/followers.ts';
import { settleAwaiting } from '../../shared/experiment/await-build.ts';
import { type NewExperimentRequest, newExperiment } from '../../shared/experiment/create.ts';
import { type LaunchDependencies, launch } from '../../shared/experiment/launch.ts';
import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { invalid } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import type { ExperimentBuild } from '../../shared/model/named-build.ts';
import type { Write } from '../../shared/store/table.ts';

/**
 * Accepts a build and an experiment that waits for it, both or neither. The same ids again find the first ones. Throws
 * what accepting a build throws, with nothing written.
 */
export async function buildThenRun(
  dependencies: AcceptDependencies & LaunchDependencies,
  request: NewExperimentRequest,
  { imageId: newImageId, buildId }: BuildIds,
  { imageId = newImageId, ...build }: ExperimentBuild,
): Promise<ExperimentRecord> {
  const { table } = dependencies;
  const { organisation, author: email, id, now } = request;
  if (!request.start)
    throw invalid({
      pointer: '/build',
      message: 'must not be combined with start=false. Build the image with POST /v1/images instead.',
    });
  const waiting = (by: { id: string; imageId: string }): Write[] => [
    ...newExperiment(dependencies, request, by).writes,
    followWrite(table, organisation, by.id, id),
  ];
  const isThere = async () => (await table.get(organisation, 'experiments', id)) !== undefined;
  if (!(await isThere())) {
    const asking = { organisation, email, now };
    const ids = { imageId, buildId };
    const also = waiting({ id: buildId, imageId });
    const image = await within('/build', () =>
      imageId === newImageId
        ? buildImage(dependencies, asking, ids, newImageOf(build), { also })
        : rebuildImage(dependencies, asking, ids, rebuildOf(build), { also }),
    );
    // Another build, identical, answers: there was nothing to write with it.
    if (!(await isThere())) await table.transact(waiting(answering(image)));
  }
  // It may have been over before anybody waited for it.
  const record = await settleAwaiting(dependencies, organisation, id);
  if (!record) throw new Error(`experiment ${id} was written and is not there`);
  await launch(dependencies, organisation, record, now);
  return record;
}

function answering({ id: imageId, currentBuild }: ImageRecord): { id: string; imageId: string } {
  if (!currentBuild) throw new Error(`no build of ${imageId} answers`);
  return { id: currentBuild.id, imageId };
}

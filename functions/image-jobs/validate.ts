/** I10, I11: has an image started and looked at, as a job of the form of builds. */

import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { placeBuild, tryStart } from '../../shared/build/accept/place.ts';
import { buildComputes } from '../../shared/build/computes.ts';
import type { ValidationRequest } from '../../shared/build/job-request.ts';
import type { BuildRecord } from '../../shared/build/record.ts';
import type { Asking } from '../../shared/http/asking.ts';
import { conflict } from '../../shared/http/problem.ts';
import { anyImage } from '../../shared/images/find.ts';
import { type ValidationCheck, validationChecks } from '../../shared/model/validation.ts';
import { sourceDigest, sourceOf } from './source.ts';

/**
 * Answers the job, which has the result; an image of the organisation's own keeps it too. Throws 404, 409
 * `image-not-ready` for an image that isn't there yet, and what the registry says of one of the catalogue.
 */
export async function validateImage(
  dependencies: AcceptDependencies,
  asking: Asking,
  { imageId, buildId }: { imageId: string; buildId: string },
  checks: ValidationCheck[] | undefined,
): Promise<BuildRecord> {
  const { table, stage } = dependencies;
  const { organisation } = asking;
  const image = await anyImage(dependencies, organisation, imageId);
  const source = sourceOf(image);
  // Kubeflow's images are nobody's to look up until somebody asks.
  const digest =
    image.source === 'catalogue' ? await sourceDigest(dependencies, organisation, source) : image.digest;
  if (!digest)
    throw conflict('image-not-ready', `The image is ${image.status}, so Slipway can't check it yet.`);
  const { host, repository } = source;
  const request: ValidationRequest = {
    kind: 'validation',
    computes: buildComputes(stage).map(({ name }) => name),
    image: { host, repository, digest },
    checks: checks ? validationChecks.filter((check) => checks.includes(check)) : [...validationChecks],
  };
  const job = await placeBuild(
    dependencies,
    asking,
    { id: buildId, imageId, uri: image.uri, registryId: image.registryId ?? '', request },
    async () => [],
    () => undefined,
  );
  await tryStart(dependencies, organisation, job.id);
  return ((await table.get(organisation, 'builds', job.id)) as BuildRecord | undefined) ?? job;
}

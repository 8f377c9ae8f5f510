/** Creates experiments, with or without a build of their image. */
import type { BuildIds } from '../../shared/build/accept/plan.ts';
import { experimentAnswer } from '../../shared/experiment/answer.ts';
import {
  type CreateDependencies,
  createExperiment,
  type NewExperimentRequest,
} from '../../shared/experiment/create.ts';
import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import type { ExperimentBuild } from '../../shared/model/named-build.ts';
import * as contract from './contract.ts';

/** `buildFirst` creates those that begin with a build. */
export const experimentStartOperations = (
  dependencies: CreateDependencies,
  buildFirst: (
    request: NewExperimentRequest,
    ids: BuildIds,
    build: ExperimentBuild,
  ) => Promise<ExperimentRecord>,
): Implementation[] => [
  implement(contract.createExperiment, async ({ caller, now, query, body, newId }) => {
    const start = query.start;
    const request = {
      organisation: caller.organisation,
      author: caller.email,
      id: newId('experiment'),
      now,
      start,
      asked: body,
    };
    if (!body.build)
      return experimentAnswer(start ? 202 : 201, await createExperiment(dependencies, request));
    const ids = { imageId: newId('image'), buildId: newId('build') };
    return experimentAnswer(202, await buildFirst(request, ids, body.build));
  }),
];

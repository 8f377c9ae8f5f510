/** B10, B11: Dockerfiles before they are built. */
import { dockerfileFrom, type RecipeDependencies } from '../../shared/build/accept/recipe.ts';
import { lintBuild } from '../../shared/dockerfile/report.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import * as contract from './dockerfile-contract.ts';

export const dockerfileOperations = (dependencies: RecipeDependencies): Implementation[] => [
  implement(contract.lintDockerfile, async ({ body }) => ({
    status: 200,
    body: { warnings: lintBuild(body) },
  })),
  implement(contract.generateDockerfile, async ({ caller, body }) => ({
    status: 200,
    body: await dockerfileFrom(dependencies, caller.organisation, body, ''),
  })),
];

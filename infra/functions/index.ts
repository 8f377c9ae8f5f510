/** Every function of the deployment. */
import { authorizer } from './authorizer.ts';
import { batchEvents } from './batch-events.ts';
import { buildEvents } from './build-events.ts';
import { builds } from './builds.ts';
import type { FunctionDeclaration } from './declaration.ts';
import { experimentStarts } from './experiment-starts.ts';
import { experiments } from './experiments.ts';
import { families } from './families.ts';
import { imageJobs } from './image-jobs.ts';
import { images } from './images.ts';
import { inspections } from './inspections.ts';
import { launcher } from './launcher.ts';
import { organisation } from './organisation.ts';
import { publicRoutes } from './public.ts';
import { reconciler } from './reconciler.ts';
import { registries } from './registries.ts';
import { summaries } from './summaries.ts';

/** Functions behind the HTTP API's routes; an operation's `x-slipway-function` names one of them. */
export const requestFunctions = [
  publicRoutes,
  registries,
  images,
  imageJobs,
  families,
  inspections,
  summaries,
  builds,
  experimentStarts,
  experiments,
  organisation,
];

export { authorizer, batchEvents, buildEvents, launcher, reconciler };

export const functionDeclarations: FunctionDeclaration[] = [
  authorizer,
  ...requestFunctions,
  launcher,
  buildEvents,
  batchEvents,
  reconciler,
];

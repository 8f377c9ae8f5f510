import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { Context } from 'aws-lambda';
import { createImageScans } from '../../shared/aws/image-scans.ts';
import { createJobLog } from '../../shared/aws/job-log.ts';
import { createJobDefinitions, createJobs } from '../../shared/aws/jobs.ts';
import { createRepositories } from '../../shared/aws/repositories.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { registriesOfDeployment } from '../../shared/registry/deployment.ts';
import { createTable } from '../../shared/store/table.ts';
import { prepare } from './prepare.ts';
import { settle } from './settle.ts';
import type { Next } from './submission.ts';
import { taskSchema } from './task.ts';

const environment = readVariables({
  TABLE_NAME: true,
  JOB_LOG_GROUP: true,
  ROLE_ARN_PREFIX: true,
  ECR_REGISTRY: true,
  API_URL: true,
});
const stage = readStage();
const table = createTable(environment.TABLE_NAME);
const ecrRegistry = environment.ECR_REGISTRY;
const { registries, access, network, ecrLogin } = registriesOfDeployment(table, ecrRegistry, stage);
const log = createLog();
const dependencies = {
  table,
  stage,
  registries,
  access,
  repositories: createRepositories(),
  definitions: createJobDefinitions(),
  jobs: createJobs(),
  jobLog: createJobLog(environment.JOB_LOG_GROUP, new CloudWatchLogsClient({})),
  scans: createImageScans(),
  ecrRegistry,
  ownEcr: async () => createRegistryClient({ host: ecrRegistry, network, credentials: await ecrLogin() }),
  logGroup: environment.JOB_LOG_GROUP,
  roleArnPrefix: environment.ROLE_ARN_PREFIX,
  apiUrl: environment.API_URL,
  now: () => new Date(),
};

/** A task of the state machine: its answer says whether there is a job to submit. */
export async function handler(event: unknown, context: Context): Promise<Next> {
  const task = taskSchema.parse(event);
  const started = performance.now();
  const answer =
    task.action === 'prepare'
      ? await prepare(dependencies, { ...task, remainingMs: () => context.getRemainingTimeInMillis() })
      : await settle(dependencies, task);
  const { action, organisation, experimentId } = task;
  const durationMs = Math.round(performance.now() - started);
  log.info('answered', { action, organisation, experimentId, next: answer.next, durationMs });
  return answer;
}

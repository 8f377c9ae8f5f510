import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { Context } from 'aws-lambda';
import { createJobLog } from '../../shared/aws/job-log.ts';
import { createJobs } from '../../shared/aws/jobs.ts';
import { closingDependencies, closingVariables } from '../../shared/build/wiring.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { createBuildReconciler } from './builds.ts';
import { createExperimentReconciler } from './experiments.ts';
import { reconcile } from './reconcile.ts';

const variables = readVariables({
  TABLE_NAME: true,
  JOB_LOG_GROUP: true,
  ...closingVariables,
});
const parts = {
  table: createTable(variables.TABLE_NAME),
  stage: readStage(),
  now: () => new Date(),
  log: createLog(),
};

const closing = closingDependencies(variables, parts);

/** Invoked by the schedule. */
export const handler = (_event: unknown, context: Context): Promise<void> =>
  reconcile(
    {
      ...parts,
      organisations: parts.stage.organisations.map(({ id }) => id),
      builds: createBuildReconciler(closing),
      experiments: createExperimentReconciler({
        ...parts,
        jobs: createJobs(),
        jobLog: createJobLog(variables.JOB_LOG_GROUP, new CloudWatchLogsClient({})),
        executions: closing.executions,
        logs: closing.logs,
        logGroup: variables.JOB_LOG_GROUP,
      }),
    },
    () => context.getRemainingTimeInMillis(),
  );

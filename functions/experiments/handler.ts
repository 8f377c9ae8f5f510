import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { createExecutions } from '../../shared/aws/executions.ts';
import { createJobs } from '../../shared/aws/jobs.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLogs } from '../../shared/log/log.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { experimentOperations } from './operations.ts';

const environment = readVariables({
  TABLE_NAME: true,
  ARTIFACTS_BUCKET: true,
  JOB_LOG_GROUP: true,
  STATE_MACHINE_ARN: true,
});
const table = createTable(environment.TABLE_NAME);
const now = () => new Date();
const log = createLog();
const stage = readStage();

export const handler = serve(
  experimentOperations({
    table,
    stage,
    executions: createExecutions(environment.STATE_MACHINE_ARN),
    jobs: createJobs(),
    logs: createLogs({
      table,
      artifacts: createArtifacts(environment.ARTIFACTS_BUCKET),
      client: new CloudWatchLogsClient({}),
      now,
      graceSeconds: stage.jobLogGraceSeconds,
    }),
    logGroup: environment.JOB_LOG_GROUP,
    log,
  }),
  { now, table, idempotency: createIdempotency(table), log },
);

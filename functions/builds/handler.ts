import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { createBuilds } from '../../shared/aws/builds.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLogs } from '../../shared/log/log.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { buildOperations } from './operations.ts';

const variables = readVariables({
  TABLE_NAME: true,
  ARTIFACTS_BUCKET: true,
  BUILD_PROJECT: true,
  BUILD_LOG_GROUP: true,
});
const table = createTable(variables.TABLE_NAME);
const now = () => new Date();
const log = createLog();

export const handler = serve(
  buildOperations({
    table,
    stage: readStage(),
    log,
    // This function starts nothing, so it hands no role to anybody.
    builds: createBuilds({
      project: variables.BUILD_PROJECT,
      roleArnPrefix: '',
      logGroup: variables.BUILD_LOG_GROUP,
    }),
    logs: createLogs({
      table,
      artifacts: createArtifacts(variables.ARTIFACTS_BUCKET),
      client: new CloudWatchLogsClient({}),
      now,
    }),
    logGroup: variables.BUILD_LOG_GROUP,
    now,
  }),
  { now, table, idempotency: createIdempotency(table), log },
);

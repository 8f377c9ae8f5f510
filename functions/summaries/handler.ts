import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { summaryOperations } from './operations.ts';

const variables = readVariables({ TABLE_NAME: true, ARTIFACTS_BUCKET: true });

export const handler = serve(
  summaryOperations({
    table: createTable(variables.TABLE_NAME),
    artifacts: createArtifacts(variables.ARTIFACTS_BUCKET),
  }),
  { now: () => new Date(), log: createLog() },
);

import { acceptDependencies, acceptingVariables } from '../../shared/build/accept/wiring.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { imageJobOperations } from './operations.ts';

const variables = readVariables({ TABLE_NAME: true, ...acceptingVariables });
const table = createTable(variables.TABLE_NAME);
const now = () => new Date();
const log = createLog();

export const handler = serve(
  imageJobOperations(acceptDependencies(variables, { table, stage: readStage(), now, log })),
  { now, table, idempotency: createIdempotency(table), log },
);

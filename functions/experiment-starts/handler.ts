import { createExecutions } from '../../shared/aws/executions.ts';
import { acceptDependencies, acceptingVariables } from '../../shared/build/accept/wiring.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { buildThenRun } from './build-then-run.ts';
import { experimentStartOperations } from './operations.ts';

const variables = readVariables({ TABLE_NAME: true, STATE_MACHINE_ARN: true, ...acceptingVariables });
const table = createTable(variables.TABLE_NAME);
const now = () => new Date();
const log = createLog();

const dependencies = {
  ...acceptDependencies(variables, { table, stage: readStage(), now, log }),
  executions: createExecutions(variables.STATE_MACHINE_ARN),
};

export const handler = serve(
  experimentStartOperations(dependencies, (...asked) => buildThenRun(dependencies, ...asked)),
  { now, table, idempotency: createIdempotency(table), log },
);

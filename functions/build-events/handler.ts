import { closingDependencies, closingVariables } from '../../shared/build/wiring.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { buildEventSchema } from './event.ts';
import { takeIn } from './take-in.ts';

const variables = readVariables({ TABLE_NAME: true, ...closingVariables });
const dependencies = closingDependencies(variables, {
  table: createTable(variables.TABLE_NAME),
  stage: readStage(),
  now: () => new Date(),
  log: createLog(),
});

/** Invoked by EventBridge, which invokes again what throws. */
export const handler = (event: unknown): Promise<void> => takeIn(dependencies, buildEventSchema.parse(event));

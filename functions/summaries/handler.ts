import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createTable } from '../../shared/store/table.ts';
import { summaryOperations } from './operations.ts';

const { TABLE_NAME } = readVariables({ TABLE_NAME: true });

export const handler = serve(summaryOperations(createTable(TABLE_NAME)), {
  now: () => new Date(),
  log: createLog(),
});

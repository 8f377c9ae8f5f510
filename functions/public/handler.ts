import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStage } from '../../shared/environment/stage.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { publicOperations } from './operations.ts';

/** Beside the bundle, as the stage configuration is: health, which is asked far more often, need not load it. */
const document = () =>
  readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? import.meta.dirname, 'openapi.json'), 'utf8');

export const handler = serve(publicOperations(readStage().stage, document), {
  now: () => new Date(),
  log: createLog(),
});

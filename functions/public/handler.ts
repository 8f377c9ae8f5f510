import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStage } from '../../shared/environment/stage.ts';
import { implement } from '../../shared/http/operation.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { getHealth, getOpenApi } from './contract.ts';

const { stage } = readStage();
/** Beside the bundle, as the stage configuration is: health, which is asked far more often, need not load it. */
const document = () =>
  readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? import.meta.dirname, 'openapi.json'), 'utf8');

export const handler = serve(
  [
    implement(getHealth, async () => ({ status: 200, body: { status: 'ok', stage } })),
    implement(getOpenApi, async () => ({
      status: 200,
      body: document(),
      headers: { 'content-type': 'application/json' },
    })),
  ],
  { now: () => new Date(), log: createLog() },
);

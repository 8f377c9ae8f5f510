import { readStage } from '../../shared/environment/stage.ts';
import { implement } from '../../shared/http/operation.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { getHealth, getOpenApi } from './contract.ts';
import document from './openapi.json' with { type: 'json' };

const { stage } = readStage();

export const handler = serve(
  [
    implement(getHealth, async () => ({ status: 200, body: { status: 'ok', stage } })),
    implement(getOpenApi, async () => ({ status: 200, body: document })),
  ],
  { now: () => new Date(), log: createLog() },
);

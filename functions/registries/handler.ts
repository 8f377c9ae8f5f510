import { createSecrets } from '../../shared/aws/secrets.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { registriesOfDeployment } from '../../shared/registry/deployment.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { registryOperations } from './operations.ts';

const { TABLE_NAME, ECR_REGISTRY } = readVariables({ TABLE_NAME: true, ECR_REGISTRY: true });
const stage = readStage();
const table = createTable(TABLE_NAME);
const ofDeployment = registriesOfDeployment(table, ECR_REGISTRY, stage);

export const handler = serve(
  registryOperations({
    table,
    ...ofDeployment,
    secrets: createSecrets(),
    stage,
    ecrRegistry: ECR_REGISTRY,
  }),
  { now: () => new Date(), table, idempotency: createIdempotency(table), log: createLog() },
);

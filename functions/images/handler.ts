import { createRepositories } from '../../shared/aws/repositories.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { registriesOfDeployment } from '../../shared/registry/deployment.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { imageOperations } from './operations.ts';

const { TABLE_NAME, ECR_REGISTRY } = readVariables({ TABLE_NAME: true, ECR_REGISTRY: true });
const table = createTable(TABLE_NAME);
const { registries, access } = registriesOfDeployment(table, ECR_REGISTRY, readStage());

export const handler = serve(
  imageOperations({
    table,
    registries,
    access,
    repositories: createRepositories(),
    ecrRegistry: ECR_REGISTRY,
  }),
  { now: () => new Date(), table, idempotency: createIdempotency(table), log: createLog() },
);

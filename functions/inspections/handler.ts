import { createEcrLogin } from '../../shared/aws/ecr-login.ts';
import { createSecrets } from '../../shared/aws/secrets.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createRegistryAccess } from '../../shared/registry/access.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createRegistryStore } from '../../shared/store/registries.ts';
import { createTable } from '../../shared/store/table.ts';
import { inspectionOperations } from './operations.ts';

const { TABLE_NAME, ECR_REGISTRY } = readVariables({ TABLE_NAME: true, ECR_REGISTRY: true });
const stage = readStage();
const table = createTable(TABLE_NAME);
const access = createRegistryAccess({
  registries: createRegistryStore(table, ECR_REGISTRY, stage.privateRegistries),
  secrets: createSecrets(),
  ecrLogin: createEcrLogin(),
  ecrRegistry: ECR_REGISTRY,
  network: createNetwork({
    privateHosts: stage.privateRegistries,
    ca: stage.privateCertificateAuthorities,
  }),
});

export const handler = serve(inspectionOperations({ table, access }), {
  now: () => new Date(),
  idempotency: createIdempotency(table),
  log: createLog(),
});

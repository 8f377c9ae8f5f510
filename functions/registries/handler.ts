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
import { registryOperations } from './operations.ts';

const { TABLE_NAME, ECR_REGISTRY } = readVariables({ TABLE_NAME: true, ECR_REGISTRY: true });
const stage = readStage();
const table = createTable(TABLE_NAME);
const secrets = createSecrets();
const network = createNetwork({
  privateHosts: stage.privateRegistries,
  ca: stage.privateCertificateAuthorities,
});
const registries = createRegistryStore(table, ECR_REGISTRY, stage.privateRegistries);
const access = createRegistryAccess({
  registries,
  secrets,
  ecrLogin: createEcrLogin(),
  ecrRegistry: ECR_REGISTRY,
  network,
});

export const handler = serve(
  registryOperations({ table, secrets, registries, access, network, stage, ecrRegistry: ECR_REGISTRY }),
  { now: () => new Date(), idempotency: createIdempotency(table), log: createLog() },
);

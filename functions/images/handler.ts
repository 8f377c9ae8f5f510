import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { createBuilds } from '../../shared/aws/builds.ts';
import { createEcrLogin } from '../../shared/aws/ecr-login.ts';
import { createRepositories } from '../../shared/aws/repositories.ts';
import { createSecrets } from '../../shared/aws/secrets.ts';
import { createCopyTag } from '../../shared/build/copy-tag.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { createRegistryAccess } from '../../shared/registry/access.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createRegistryStore } from '../../shared/store/registries.ts';
import { createTable } from '../../shared/store/table.ts';
import { imageOperations } from './operations.ts';

const variables = readVariables({
  TABLE_NAME: true,
  ARTIFACTS_BUCKET: true,
  BUILD_PROJECT: true,
  ROLE_ARN_PREFIX: true,
  ECR_REGISTRY: true,
});
const stage = readStage();
const table = createTable(variables.TABLE_NAME);
const now = () => new Date();
const log = createLog();
const registries = createRegistryStore(table, variables.ECR_REGISTRY, stage.privateRegistries);

const access = createRegistryAccess({
  registries,
  secrets: createSecrets(),
  ecrLogin: createEcrLogin(),
  ecrRegistry: variables.ECR_REGISTRY,
  network: createNetwork({
    privateHosts: stage.privateRegistries,
    ca: stage.privateCertificateAuthorities,
  }),
});

export const handler = serve(
  imageOperations({
    table,
    stage,
    registries,
    access,
    copyTag: createCopyTag(access),
    ecrRegistry: variables.ECR_REGISTRY,
    artifacts: createArtifacts(variables.ARTIFACTS_BUCKET),
    builds: createBuilds({ project: variables.BUILD_PROJECT, roleArnPrefix: variables.ROLE_ARN_PREFIX }),
    repositories: createRepositories(),
    now,
    log,
  }),
  { now, idempotency: createIdempotency(table), log },
);

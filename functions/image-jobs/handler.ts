import { createArtifacts } from '../../shared/aws/artifacts.ts';
import { createBuilds } from '../../shared/aws/builds.ts';
import { createRepositories } from '../../shared/aws/repositories.ts';
import { createCopyTag } from '../../shared/build/copy-tag.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { registriesOfDeployment } from '../../shared/registry/deployment.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createTable } from '../../shared/store/table.ts';
import { imageJobOperations } from './operations.ts';

const variables = readVariables({
  TABLE_NAME: true,
  ARTIFACTS_BUCKET: true,
  BUILD_PROJECT: true,
  ROLE_ARN_PREFIX: true,
  ECR_REGISTRY: true,
});
const stage = readStage();
const table = createTable(variables.TABLE_NAME);
const { registries, access } = registriesOfDeployment(table, variables.ECR_REGISTRY, stage);
const now = () => new Date();
const log = createLog();

export const handler = serve(
  imageJobOperations({
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

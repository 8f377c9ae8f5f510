/** What accepting builds works with, wired to AWS. */
import { createArtifacts } from '../../aws/artifacts.ts';
import { createBuilds } from '../../aws/builds.ts';
import { createRepositories } from '../../aws/repositories.ts';
import type { readVariables } from '../../environment/variables.ts';
import type { Stage } from '../../model/stage.ts';
import type { Log } from '../../observability/log.ts';
import { registriesOfDeployment } from '../../registry/deployment.ts';
import type { Table } from '../../store/table.ts';
import { createCopyTag } from '../copy-tag.ts';
import type { AcceptDependencies } from './dependencies.ts';

export const acceptingVariables = {
  ARTIFACTS_BUCKET: true,
  BUILD_PROJECT: true,
  BUILD_LOG_GROUP: true,
  ROLE_ARN_PREFIX: true,
  ECR_REGISTRY: true,
} as const;

export function acceptDependencies<L extends Pick<Log, 'error'>>(
  variables: ReturnType<typeof readVariables<keyof typeof acceptingVariables>>,
  parts: { table: Table; stage: Stage; now: () => Date; log: L },
): AcceptDependencies & typeof parts {
  const { registries, access } = registriesOfDeployment(parts.table, variables.ECR_REGISTRY, parts.stage);
  return {
    ...parts,
    artifacts: createArtifacts(variables.ARTIFACTS_BUCKET),
    builds: createBuilds({
      project: variables.BUILD_PROJECT,
      roleArnPrefix: variables.ROLE_ARN_PREFIX,
      logGroup: variables.BUILD_LOG_GROUP,
    }),
    repositories: createRepositories(),
    registries,
    access,
    copyTag: createCopyTag(access),
    ecrRegistry: variables.ECR_REGISTRY,
  };
}

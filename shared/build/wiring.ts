/** What follows builds, wired to AWS: the same for whoever hears of their ends and whoever looks for them. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createArtifacts } from '../aws/artifacts.ts';
import { createBuilds } from '../aws/builds.ts';
import { createMail } from '../aws/mail.ts';
import { createRepositories } from '../aws/repositories.ts';
import type { readVariables } from '../environment/variables.ts';
import { createLogs } from '../log/log.ts';
import type { Stage } from '../model/stage.ts';
import type { Log } from '../observability/log.ts';
import { registriesOfDeployment } from '../registry/deployment.ts';
import type { Table } from '../store/table.ts';
import type { CloseDependencies } from './close.ts';
import { createCopyTag } from './copy-tag.ts';

export const closingVariables = {
  ARTIFACTS_BUCKET: true,
  BUILD_PROJECT: true,
  BUILD_LOG_GROUP: true,
  ROLE_ARN_PREFIX: true,
  ECR_REGISTRY: true,
  API_URL: true,
} as const;

export function closingDependencies(
  variables: ReturnType<typeof readVariables<keyof typeof closingVariables>>,
  parts: { table: Table; stage: Stage; now: () => Date; log: Log },
): CloseDependencies {
  const { table, stage, now } = parts;
  const artifacts = createArtifacts(variables.ARTIFACTS_BUCKET);
  const { registries, access } = registriesOfDeployment(table, variables.ECR_REGISTRY, stage);
  return {
    ...parts,
    artifacts,
    builds: createBuilds({ project: variables.BUILD_PROJECT, roleArnPrefix: variables.ROLE_ARN_PREFIX }),
    repositories: createRepositories(),
    registries,
    copyTag: createCopyTag(access),
    ecrRegistry: variables.ECR_REGISTRY,
    logs: createLogs({ table, artifacts, client: new CloudWatchLogsClient({}), now }),
    logGroup: variables.BUILD_LOG_GROUP,
    mail: createMail(stage.mailFrom),
    apiUrl: variables.API_URL,
  };
}

import { ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { listBucket, logStreams, objects, secrets, tableReadWrite } from '../access/storage.ts';
import { builds, sendMail } from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const buildEvents: FunctionDeclaration = {
  name: 'build-events',
  description: 'Moves a build along, keeps its log, sends its mail',
  // A long log is read page by page and archived.
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: [
    'TABLE_NAME',
    'ARTIFACTS_BUCKET',
    'BUILD_PROJECT',
    'BUILD_LOG_GROUP',
    'ECR_REGISTRY',
    'API_URL',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject']),
    objects(deployment, 'builds', ['s3:GetObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.buildLogGroup),
    builds(deployment, ['codebuild:BatchGetBuilds']),
    sendMail(deployment),
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:DescribeImages']),
  ],
};

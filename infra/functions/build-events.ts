import { createActions, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { listBucket, logStreams, objects, secrets, tableReadWrite } from '../access/storage.ts';
import { builds, passRoles, sendMail, stateMachineArn } from '../access/work.ts';
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
    'ROLE_ARN_PREFIX',
    'ECR_REGISTRY',
    'API_URL',
    'STATE_MACHINE_ARN',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    objects(deployment, 'builds', ['s3:GetObject', 's3:PutObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.buildLogGroup),
    // The end of one build is the start of the next that waits for its compute.
    builds(deployment, ['codebuild:BatchGetBuilds', 'codebuild:StartBuild', 'codebuild:StopBuild']),
    passRoles(deployment, ['builder'], ['codebuild.amazonaws.com']),
    sendMail(deployment),
    // Experiments wait for the builds of their images.
    { actions: ['states:StartExecution'], resources: [stateMachineArn(deployment)] },
    // Builds that are identical to a finished one get its manifest, under their tag.
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:PutImage', ...createActions]),
  ],
};

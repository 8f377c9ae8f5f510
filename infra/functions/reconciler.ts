import { createActions, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { listBucket, logStreams, objects, secrets, tableReadWrite } from '../access/storage.ts';
import {
  builds,
  executions,
  findJobs,
  passRoles,
  sendMail,
  stateMachineArn,
  terminateJobs,
} from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

/** Finishes whatever another function began and did not end, so it may do what they may. */
export const reconciler: FunctionDeclaration = {
  name: 'reconciler',
  description: 'Asks AWS about work that has been quiet for too long, and finishes it',
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: [
    'TABLE_NAME',
    'ARTIFACTS_BUCKET',
    'BUILD_PROJECT',
    'BUILD_LOG_GROUP',
    'JOB_LOG_GROUP',
    'STATE_MACHINE_ARN',
    'ROLE_ARN_PREFIX',
    'ECR_REGISTRY',
    'API_URL',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    builds(deployment, ['codebuild:StartBuild', 'codebuild:StopBuild', 'codebuild:BatchGetBuilds']),
    passRoles(deployment, ['builder'], ['codebuild.amazonaws.com']),
    { actions: ['states:StartExecution'], resources: [stateMachineArn(deployment)] },
    executions(deployment, ['states:DescribeExecution']),
    findJobs,
    terminateJobs(deployment),
    sendMail(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    objects(deployment, 'builds', ['s3:GetObject', 's3:PutObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.buildLogGroup),
    logStreams(deployment, deployment.names.jobLogGroup),
    // Builds that are identical to a finished one get its manifest, under their tag.
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:PutImage', ...createActions]),
  ],
};

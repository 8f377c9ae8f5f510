import {
  cachedRepositories,
  createActions,
  defaultRepositories,
  ecrLogin,
  enhancedFindings,
  everyOrganisationsRepositories,
  pullActions,
  pushActions,
  scanActions,
} from '../access/ecr.ts';
import { logStreams, secrets, tableReadWrite } from '../access/storage.ts';
import { findJobs, passRoles } from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const launcher: FunctionDeclaration = {
  name: 'launcher',
  description: "Prepares an experiment's job and decides what follows an attempt",
  // An image that must be copied first is copied layer by layer.
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: ['TABLE_NAME', 'JOB_LOG_GROUP', 'ROLE_ARN_PREFIX', 'ECR_REGISTRY', 'API_URL'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    {
      actions: ['batch:RegisterJobDefinition'],
      resources: [deployment.arn('batch', `job-definition/${deployment.names.prefix}-*`)],
      // A privileged container is root on its host.
      conditions: { BoolIfExists: { 'batch:Privileged': 'false' } },
      wildcard: 'Definitions are registered per image, named after their content.',
    },
    {
      actions: ['batch:TagResource'],
      resources: [deployment.arn('batch', `job-definition/${deployment.names.prefix}-*`)],
      wildcard: 'Definitions are registered per image, named after their content.',
    },
    {
      actions: ['batch:DescribeJobDefinitions'],
      resources: ['*'],
      wildcard: 'DescribeJobDefinitions has no resource.',
    },
    findJobs,
    // A line of the log tells an image without a shell from a command that isn't there.
    logStreams(deployment, deployment.names.jobLogGroup),
    // The roles are a container's, but it is Batch that they are handed to with a definition.
    passRoles(deployment, ['execution', 'job'], ['ecs-tasks.amazonaws.com', 'batch.amazonaws.com']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [...pushActions, ...scanActions, ...createActions]),
    defaultRepositories(deployment, [...pullActions, ...scanActions]),
    ...cachedRepositories(deployment, [...pullActions, ...scanActions, 'ecr:CreateRepository']),
    enhancedFindings,
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
  ],
};

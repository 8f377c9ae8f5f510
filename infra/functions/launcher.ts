import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pushActions } from '../access/ecr.ts';
import { listBucket, objects, secrets, tableReadWrite } from '../access/storage.ts';
import { tokenKey } from '../access/tokens.ts';
import { describeJobs, passRoles, terminateJobs } from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const launcher: FunctionDeclaration = {
  name: 'launcher',
  description: "Prepares an experiment's job and decides what follows an attempt",
  // An image that must be mirrored first is copied layer by layer.
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: [
    'TABLE_NAME',
    'ARTIFACTS_BUCKET',
    'JOB_LOG_GROUP',
    'ROLE_ARN_PREFIX',
    'TOKEN_KEY_SECRET_ARN',
    'ECR_REGISTRY',
    'API_URL',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    {
      actions: ['batch:RegisterJobDefinition', 'batch:TagResource'],
      resources: [deployment.arn('batch', `job-definition/${deployment.names.prefix}-*`)],
      wildcard: 'Definitions are registered per image, named after their content.',
    },
    {
      actions: ['batch:DescribeJobDefinitions'],
      resources: ['*'],
      wildcard: 'DescribeJobDefinitions has no resource.',
    },
    describeJobs,
    terminateJobs(deployment),
    passRoles(deployment, ['execution', 'job'], 'ecs-tasks.amazonaws.com'),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [
      ...pushActions,
      'ecr:CreateRepository',
      'ecr:TagResource',
      'ecr:DescribeRepositories',
      'ecr:DescribeImages',
    ]),
    defaultRepositories(deployment),
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    secrets(deployment, 'experiments', [
      'secretsmanager:CreateSecret',
      'secretsmanager:TagResource',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:DeleteSecret',
    ]),
    secrets(deployment, 'secrets', ['secretsmanager:DescribeSecret']),
    objects(deployment, 'uploads', ['s3:GetObject']),
    listBucket(deployment),
    tokenKey(deployment),
  ],
};

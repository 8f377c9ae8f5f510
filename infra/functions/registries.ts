import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { secrets, tableReadWrite } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const registries: FunctionDeclaration = {
  name: 'registries',
  description: 'Registries and their credentials',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ECR_REGISTRY'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    secrets(deployment, 'registries', [
      'secretsmanager:CreateSecret',
      'secretsmanager:TagResource',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:DeleteSecret',
    ]),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [
      ...pullActions,
      'ecr:DescribeRepositories',
      'ecr:DescribeImages',
      'ecr:ListImages',
    ]),
    defaultRepositories(deployment),
  ],
};

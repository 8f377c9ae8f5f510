import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { secrets, secretWrites, tableReadWrite } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const registries: FunctionDeclaration = {
  name: 'registries',
  description: 'Registries and their credentials',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ECR_REGISTRY'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    secrets(deployment, 'registries', [...secretWrites, 'secretsmanager:GetSecretValue']),
    ecrLogin,
    // A check of the right to push opens an upload, and never completes it.
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:InitiateLayerUpload']),
    defaultRepositories(deployment),
  ],
};

import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { secrets, tableReadWrite } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const images: FunctionDeclaration = {
  name: 'images',
  description: 'The table of images',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ECR_REGISTRY'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    // A tag is taken out of its registry with the image.
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:BatchDeleteImage']),
    defaultRepositories(deployment),
  ],
};

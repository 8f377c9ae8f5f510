import {
  defaultRepositories,
  ecrLogin,
  enhancedFindings,
  everyOrganisationsRepositories,
  pullActions,
  scanActions,
} from '../access/ecr.ts';
import { secrets, tableReadWrite } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const inspections: FunctionDeclaration = {
  name: 'inspections',
  description: 'Inspects images in their registries, and scans them',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ECR_REGISTRY'],
  access: (deployment) => [
    // Writes only idempotency keys.
    ...tableReadWrite(deployment),
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, [...pullActions, ...scanActions]),
    defaultRepositories(deployment, [...pullActions, ...scanActions]),
    enhancedFindings,
  ],
};

import { acceptingAccess, acceptingVariables } from '../access/accepting.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const imageJobs: FunctionDeclaration = {
  name: 'image-jobs',
  description: 'Builds, mirrors and validations as they are asked for, and images that exist already',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: acceptingVariables,
  access: acceptingAccess,
};

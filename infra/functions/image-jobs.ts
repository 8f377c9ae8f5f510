import { acceptingAccess, acceptingVariables } from '../access/accepting.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const imageJobs: FunctionDeclaration = {
  name: 'image-jobs',
  description: 'Accepts builds, mirrors and validations, and adds existing images',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: acceptingVariables,
  access: acceptingAccess,
};

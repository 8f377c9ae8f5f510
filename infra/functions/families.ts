import { acceptingAccess, acceptingVariables } from '../access/accepting.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const families: FunctionDeclaration = {
  name: 'families',
  description: 'Builds families of images in dependency order',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: acceptingVariables,
  access: acceptingAccess,
};

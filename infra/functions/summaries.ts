import { tableRead } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const summaries: FunctionDeclaration = {
  name: 'summaries',
  description: 'Pages about images',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME'],
  access: (deployment) => tableRead(deployment),
};

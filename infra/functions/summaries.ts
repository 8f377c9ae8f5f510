import { listBucket, objects, tableRead } from '../access/storage.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const summaries: FunctionDeclaration = {
  name: 'summaries',
  description: 'Pages about images and builds',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ARTIFACTS_BUCKET'],
  access: (deployment) => [
    ...tableRead(deployment),
    objects(deployment, 'logs', ['s3:GetObject']),
    listBucket(deployment),
  ],
};

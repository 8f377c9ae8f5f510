import { listBucket, logStreams, objects, tableReadWrite } from '../access/storage.ts';
import { terminateJobs } from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const batchEvents: FunctionDeclaration = {
  name: 'batch-events',
  description: 'Follows jobs through their queue and hosts',
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: ['TABLE_NAME', 'ARTIFACTS_BUCKET', 'JOB_LOG_GROUP'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    terminateJobs(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.jobLogGroup),
  ],
};

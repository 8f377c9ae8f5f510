import { logStreams, tableReadWrite } from '../access/storage.ts';
import { terminateJobs } from '../access/work.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const batchEvents: FunctionDeclaration = {
  name: 'batch-events',
  description: 'Follows jobs through their queue and hosts',
  timeoutSeconds: 300,
  memoryMiB: 1024,
  variables: ['TABLE_NAME', 'JOB_LOG_GROUP'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    terminateJobs(deployment),
    // A line of the log tells an image without a shell from a command that isn't there.
    logStreams(deployment, deployment.names.jobLogGroup),
  ],
};

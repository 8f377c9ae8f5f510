import { listBucket, logStreams, objects, tableReadWrite } from '../access/storage.ts';
import { stateMachineArn, terminateJobs } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const experiments: FunctionDeclaration = {
  name: 'experiments',
  description: 'Experiments: create, start, follow, stop',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ARTIFACTS_BUCKET', 'JOB_LOG_GROUP', 'STATE_MACHINE_ARN'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    { actions: ['states:StartExecution'], resources: [stateMachineArn(deployment)] },
    terminateJobs(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.jobLogGroup),
  ],
};

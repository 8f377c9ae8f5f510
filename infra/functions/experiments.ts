import { listBucket, logStreams, objects, secrets, tableReadWrite } from '../access/storage.ts';
import { describeJobs, executions, stateMachineArn, terminateJobs } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const experiments: FunctionDeclaration = {
  name: 'experiments',
  description: 'Experiments: create, start, follow, stop',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: [
    'TABLE_NAME',
    'ARTIFACTS_BUCKET',
    'JOB_LOG_GROUP',
    'STATE_MACHINE_ARN',
    'ECR_REGISTRY',
    'API_URL',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    { actions: ['states:StartExecution'], resources: [stateMachineArn(deployment)] },
    executions(deployment, ['states:DescribeExecution', 'states:StopExecution']),
    describeJobs,
    terminateJobs(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    objects(deployment, 'outputs', ['s3:GetObject']),
    objects(deployment, 'uploads', ['s3:GetObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.jobLogGroup),
    secrets(deployment, 'experiments', [
      'secretsmanager:CreateSecret',
      'secretsmanager:TagResource',
      'secretsmanager:DescribeSecret',
      'secretsmanager:DeleteSecret',
    ]),
  ],
};

import { listBucket, logStreams, objects, tableReadWrite } from '../access/storage.ts';
import { builds as buildAccess } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const builds: FunctionDeclaration = {
  name: 'builds',
  description: 'Builds: progress, logs, stop',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ARTIFACTS_BUCKET', 'BUILD_PROJECT', 'BUILD_LOG_GROUP'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    objects(deployment, 'logs', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    objects(deployment, 'builds', ['s3:GetObject']),
    listBucket(deployment),
    logStreams(deployment, deployment.names.buildLogGroup),
    buildAccess(deployment, ['codebuild:StopBuild', 'codebuild:BatchGetBuilds']),
  ],
};

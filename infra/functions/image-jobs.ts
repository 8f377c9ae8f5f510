import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { listBucket, objects, secrets, tableReadWrite } from '../access/storage.ts';
import { builds, passRoles } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const imageJobs: FunctionDeclaration = {
  name: 'image-jobs',
  description: 'Builds, mirrors and validations as they are asked for, and images that exist already',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: ['TABLE_NAME', 'ARTIFACTS_BUCKET', 'BUILD_PROJECT', 'ROLE_ARN_PREFIX', 'ECR_REGISTRY'],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    objects(deployment, 'builds', ['s3:PutObject', 's3:GetObject']),
    // An upload's presence and size are checked before a build is promised.
    objects(deployment, 'uploads', ['s3:GetObject']),
    listBucket(deployment),
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    builds(deployment, ['codebuild:StartBuild', 'codebuild:StopBuild', 'codebuild:BatchGetBuilds']),
    passRoles(deployment, ['builder'], ['codebuild.amazonaws.com']),
    ecrLogin,
    // A finished manifest gets another tag.
    everyOrganisationsRepositories(deployment, [
      ...pullActions,
      'ecr:PutImage',
      'ecr:CreateRepository',
      'ecr:TagResource',
    ]),
    defaultRepositories(deployment),
  ],
};

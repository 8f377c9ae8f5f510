/** What accepting a build takes: its request is checked and written, then CodeBuild is asked to start it. */
import type { Variable } from '../functions/declaration.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';
import {
  createActions,
  defaultRepositories,
  ecrLogin,
  everyOrganisationsRepositories,
  pullActions,
} from './ecr.ts';
import { listBucket, objects, secrets, tableReadWrite } from './storage.ts';
import { builds, passRoles } from './work.ts';

export const acceptingVariables: Variable[] = [
  'TABLE_NAME',
  'ARTIFACTS_BUCKET',
  'BUILD_PROJECT',
  'BUILD_LOG_GROUP',
  'ROLE_ARN_PREFIX',
  'ECR_REGISTRY',
];

export function acceptingAccess(deployment: Deployment): Access[] {
  return [
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
    everyOrganisationsRepositories(deployment, [...pullActions, 'ecr:PutImage', ...createActions]),
    defaultRepositories(deployment),
  ];
}

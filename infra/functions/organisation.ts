import { defaultRepositories, ecrLogin, everyOrganisationsRepositories, pullActions } from '../access/ecr.ts';
import { objects, secrets, secretWrites, tableReadWrite } from '../access/storage.ts';
import { tokenKey, userPoolMembers } from '../access/tokens.ts';
import { sendMail } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const organisation: FunctionDeclaration = {
  name: 'organisation',
  description: 'Settings, computes, members, tokens, secrets, uploads',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: [
    'TABLE_NAME',
    'ECR_REGISTRY',
    'ARTIFACTS_BUCKET',
    'TOKEN_KEY_SECRET_ARN',
    'AUTH_ISSUER',
    'AUTH_AUDIENCE',
    'API_URL',
    'USER_POOL_ID',
  ],
  access: (deployment) => [
    ...tableReadWrite(deployment),
    // The signer of an upload's URL needs the permission that the URL hands on.
    objects(deployment, 'uploads', ['s3:PutObject']),
    secrets(deployment, 'secrets', secretWrites),
    // The default image is looked up before it is kept.
    secrets(deployment, 'registries', ['secretsmanager:GetSecretValue']),
    ecrLogin,
    everyOrganisationsRepositories(deployment, pullActions),
    defaultRepositories(deployment),
    tokenKey(deployment),
    ...userPoolMembers(deployment),
    // Who is invited hears of it.
    sendMail(deployment),
  ],
};

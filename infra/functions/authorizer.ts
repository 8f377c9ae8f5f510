import { tableRead } from '../access/storage.ts';
import { tokenKey } from '../access/tokens.ts';
import type { FunctionDeclaration } from './declaration.ts';

export const authorizer: FunctionDeclaration = {
  name: 'authorizer',
  description: 'Finds who a bearer token belongs to',
  timeoutSeconds: 10,
  memoryMiB: 1024,
  variables: ['TABLE_NAME', 'TOKEN_KEY_SECRET_ARN', 'AUTH_ISSUER', 'AUTH_AUDIENCE'],
  access: (deployment) => [...tableRead(deployment), tokenKey(deployment)],
};

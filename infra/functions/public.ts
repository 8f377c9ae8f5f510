import { type FunctionDeclaration, requestTimeoutSeconds } from './declaration.ts';

/** Stands before the authorizer, so it may touch nothing. */
export const publicRoutes: FunctionDeclaration = {
  name: 'public',
  description: 'Health and the OpenAPI document, without a token',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: 512,
  variables: [],
  access: () => [],
};

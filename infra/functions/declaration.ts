/** How a function is declared: what it needs, next to why nothing else. */
import type { Access } from '../access/access.ts';
import type { Deployment } from '../access/deployment.ts';

/** Names of the environment's variables that functions may ask for. */
export type Variable =
  | 'TABLE_NAME'
  | 'ARTIFACTS_BUCKET'
  | 'BUILD_PROJECT'
  | 'BUILD_LOG_GROUP'
  | 'JOB_LOG_GROUP'
  | 'STATE_MACHINE_ARN'
  | 'ROLE_ARN_PREFIX'
  | 'TOKEN_KEY_SECRET_ARN'
  | 'AUTH_ISSUER'
  | 'AUTH_AUDIENCE'
  | 'USER_POOL_ID'
  | 'ECR_REGISTRY'
  | 'API_URL';

export interface FunctionDeclaration {
  /** Folder below `functions/`. */
  name: string;
  /** What it is for, as the console shows it. */
  description: string;
  timeoutSeconds: number;
  memoryMiB: number;
  variables: Variable[];
  access(deployment: Deployment): Access[];
}

/** Just below the 30 s after which an HTTP API gives up, so that the function's own answer is what callers get. */
export const requestTimeoutSeconds = 29;

/** A full vCPU's share begins at 1769 MiB; cold starts and JSON are bound by it, waiting for logs is not. */
export const requestMemoryMiB = 1024;

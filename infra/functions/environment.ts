import type { Deployment } from '../access/deployment.ts';
import { stateMachineArn } from '../access/work.ts';
import type { FunctionDeclaration, Variable } from './declaration.ts';

/** What each variable holds; undefined where the deployment has no such thing. */
const values: Record<Variable, (deployment: Deployment) => string | undefined> = {
  TABLE_NAME: ({ tableName }) => tableName,
  ARTIFACTS_BUCKET: ({ artifactsBucket }) => artifactsBucket,
  BUILD_PROJECT: ({ names }) => names.buildProject,
  BUILD_LOG_GROUP: ({ names }) => names.buildLogGroup,
  JOB_LOG_GROUP: ({ names }) => names.jobLogGroup,
  STATE_MACHINE_ARN: (deployment) => stateMachineArn(deployment),
  ROLE_ARN_PREFIX: ({ roleArn, names }) => roleArn(`${names.prefix}-`),
  TOKEN_KEY_SECRET_ARN: ({ tokenKeySecretArn }) => tokenKeySecretArn,
  AUTH_ISSUER: ({ issuer }) => issuer,
  AUTH_AUDIENCE: ({ audience }) => audience,
  USER_POOL_ID: ({ userPoolId }) => userPoolId,
  ECR_REGISTRY: ({ ecrRegistry }) => ecrRegistry,
  API_URL: ({ apiUrl }) => apiUrl,
};

/** The environment of a function: what it asked for, and nothing else. */
export function environmentOf(
  { variables }: FunctionDeclaration,
  deployment: Deployment,
): Record<string, string> {
  const asked = variables.flatMap((variable) => {
    const value = values[variable](deployment);
    return value === undefined ? [] : [[variable, value] as const];
  });
  return Object.fromEntries(asked);
}

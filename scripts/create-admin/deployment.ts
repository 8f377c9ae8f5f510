/** What a deployment calls its parts, read off the function that manages members. */
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { readVariables } from '../../shared/environment/variables.ts';

export interface Deployment {
  tableName: string;
  tokenKeySecretArn: string;
  /** As in the `iss` claim of its tokens. */
  issuer: string;
  /** Absent where people sign in at an OIDC issuer of the operator's own. */
  userPoolId?: string;
}

/** Throws an error that says in one line why it can't be read. */
export async function readDeployment(stage: string): Promise<Deployment> {
  const lambda = new LambdaClient({});
  const name = `slipway-${stage}-organisation`;
  const { Environment } = await lambda
    .send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    .catch((error: Error) => {
      if (error.name === 'ResourceNotFoundException')
        throw new Error(`This account and region have no function ${name}. Deploy the stage first.`);
      throw error;
    });
  const variables = readVariables(
    { TABLE_NAME: true, TOKEN_KEY_SECRET_ARN: true, AUTH_ISSUER: true, USER_POOL_ID: true },
    Environment?.Variables ?? {},
  );
  return {
    tableName: variables.TABLE_NAME,
    tokenKeySecretArn: variables.TOKEN_KEY_SECRET_ARN,
    issuer: variables.AUTH_ISSUER,
    ...(variables.USER_POOL_ID === undefined ? {} : { userPoolId: variables.USER_POOL_ID }),
  };
}

/** What the policies and the environment of functions refer to; values may be deploy-time tokens. */
import type { Stack } from 'aws-cdk-lib';
import type { Stage } from '../../shared/model/stage.ts';
import type { Names } from '../names.ts';

export interface Deployment {
  stage: Stage;
  names: Names;
  /** Makes an ARN of this account and region; `service:resource`, such as `batch`, `job/*`. */
  arn(service: string, resource: string): string;
  /** ARN without a region: IAM's. */
  roleArn(name: string): string;
  tableName: string;
  tableArn: string;
  artifactsBucket: string;
  artifactsBucketArn: string;
  tokenKeySecretArn: string;
  ecrRegistry: string;
  issuer: string;
  audience: string;
  /** Undefined when an OIDC issuer of the operator's own is configured. */
  userPoolId: string | undefined;
  userPoolArn: string | undefined;
  apiUrl: string;
}

/** ARN makers of a stack's own account and region. */
export function arnsOf(stack: Stack): Pick<Deployment, 'arn' | 'roleArn'> {
  return {
    arn: (service, resource) =>
      `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${resource}`,
    roleArn: (name) => `arn:${stack.partition}:iam::${stack.account}:role/${name}`,
  };
}

/** Who may do what with a bucket: its own policy, then the caller's. */
import type { Context } from '../iam/conditions.ts';
import { evaluatePolicy, parsePolicy, type Statement, statementsFor } from '../iam/policy.ts';
import { AwsError, type Cloud, type DeclaredResource, type Principal, type RestCall } from '../platform.ts';
import { noSuchBucket, type ObjectStore } from './store.ts';

export interface BucketAccess {
  cloud: Cloud;
  store: ObjectStore;
  policies: Map<string, Statement[]>;
}

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

export function loadBucketPolicies(resources: DeclaredResource[]): Map<string, Statement[]> {
  const policies = new Map<string, Statement[]>();
  for (const { type, logicalId, properties } of resources)
    if (type === 'AWS::S3::BucketPolicy')
      policies.set(properties.Bucket, parsePolicy(properties.PolicyDocument, logicalId));
  return policies;
}

function bucketVerdict(
  access: BucketAccess,
  principal: Principal,
  bucket: string,
  request: { action: string; resource: string; context: Context },
): 'Allow' | 'Deny' | undefined {
  const { accountId } = access.cloud;
  const statements = access.policies.get(bucket) ?? [];
  const account = [`arn:aws:iam::${accountId}:root`, accountId];
  // A statement about the account denies everybody in it, but allows nobody by itself.
  const denied = evaluatePolicy(statementsFor(statements, 'AWS', [principal.arn, ...account]), request);
  if (denied === 'Deny') return 'Deny';
  return evaluatePolicy(statementsFor(statements, 'AWS', [principal.arn]), request);
}

/** Throws `NoSuchBucket`, or `AccessDenied` unless the bucket's policy or the caller's own allows `action`. */
export function authorize(
  access: BucketAccess,
  call: RestCall,
  action: string,
  bucket: string,
  key?: string,
  context: Context = {},
): void {
  if (!access.store.bucket(bucket)) throw noSuchBucket(bucket);
  const resource = key === undefined ? bucketArn(bucket) : `${bucketArn(bucket)}/${key}`;
  const request = {
    action,
    resource,
    context: {
      'aws:SecureTransport': 'true',
      'aws:PrincipalArn': call.principal.arn,
      'aws:PrincipalAccount': access.cloud.accountId,
      ...context,
    },
  };
  const verdict = bucketVerdict(access, call.principal, bucket, request);
  if (verdict === 'Deny')
    throw new AwsError(
      'AccessDenied',
      `User: ${call.principal.arn} is not authorized to perform: ${action} on resource: "${resource}" with an explicit deny in a resource-based policy`,
      403,
    );
  if (verdict !== 'Allow') call.authorize(action, resource, context);
}

/** Whether the caller may learn that a key isn't there: without `s3:ListBucket` S3 says AccessDenied instead. */
export function authorizeMissing(access: BucketAccess, call: RestCall, bucket: string): void {
  try {
    authorize(access, call, 's3:ListBucket', bucket);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(
      'AccessDenied',
      `User: ${call.principal.arn} is not authorized to perform: s3:ListBucket on resource: "${bucketArn(bucket)}" because no identity-based policy allows the s3:ListBucket action`,
      403,
    );
  }
}

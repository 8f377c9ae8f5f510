/** Who may do what with a bucket: its own policy, then the caller's. */
import type { Context } from '../iam/conditions.ts';
import { AwsError, type Cloud, type RestCall } from '../platform.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import { noSuchBucket, type ObjectStore } from './store.ts';

export interface BucketAccess {
  cloud: Cloud;
  store: ObjectStore;
  policies: ResourcePolicies;
}

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

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
  access.policies.authorize(call, bucket, action, resource, context);
}

/** Checks that the caller may learn that a key isn't there: without `s3:ListBucket` S3 says AccessDenied instead. */
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

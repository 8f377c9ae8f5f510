import type { DeclaredResource } from '../../../local/platform.ts';

export const bucketOf = (name: string, properties: object = {}): DeclaredResource => ({
  stack: 'data',
  logicalId: 'Bucket',
  type: 'AWS::S3::Bucket',
  physicalId: name,
  attributes: { Arn: `arn:aws:s3:::${name}` },
  properties: { BucketName: name, ...properties },
});

export const policyOf = (bucket: string, statements: object[]): DeclaredResource => ({
  stack: 'data',
  logicalId: 'BucketPolicy',
  type: 'AWS::S3::BucketPolicy',
  physicalId: bucket,
  attributes: {},
  properties: { Bucket: bucket, PolicyDocument: { Version: '2012-10-17', Statement: statements } },
});

/** S3: declared buckets, path-style, objects on disk. */
import { AwsError, type Cloud, type RestAnswer, type RestCall, type Service } from './platform.ts';
import { ResourcePolicies } from './resource-policies.ts';
import { bucketArn } from './s3/access.ts';
import {
  createBucket,
  deleteObjects,
  getBucketLocation,
  headBucket,
  listBuckets,
  listObjects,
} from './s3/bucket-operations.ts';
import { expireObjects, readLifecycleRules } from './s3/lifecycle.ts';
import {
  abortUpload,
  completeUpload,
  createUpload,
  type MultipartAccess,
  uploadPart,
} from './s3/multipart.ts';
import { readObject } from './s3/reading.ts';
import { noSuchBucket, openObjectStore } from './s3/store.ts';
import { listParts, listUploads } from './s3/upload-lists.ts';
import { openUploadStore } from './s3/uploads.ts';
import { copyObject, deleteObject, putObject } from './s3/writing.ts';
import { generatedName } from './template/names.ts';

const listParameters =
  /^(list-type|prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|fetch-owner)$/;
const bucketParameters = /^(max-buckets|continuation-token|prefix|bucket-region)$/;
/** Bucket properties that would change what callers see; whoever declares them should know. */
const withoutEffect = [
  'VersioningConfiguration',
  'NotificationConfiguration',
  'ReplicationConfiguration',
  'CorsConfiguration',
  'WebsiteConfiguration',
  'ObjectLockEnabled',
];
const anyParameter = /^(x-id|x-amz-.*|response-.*)$/i;

/** A request's bucket and key, decoded. */
function target(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  try {
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  } catch {
    // decodeURIComponent throws on nothing but broken percent-encoding.
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400, { URI: path });
  }
}

/** S3 on `<home>/s3` and `cloud.db`. */
export function createS3(cloud: Cloud): Service {
  const access: MultipartAccess = {
    cloud,
    store: openObjectStore(cloud),
    uploads: openUploadStore(cloud),
    policies: new ResourcePolicies(cloud),
  };
  let rules: ReturnType<typeof readLifecycleRules> = [];
  let stopExpiry = (): void => undefined;

  function answer(call: RestCall): RestAnswer | Promise<RestAnswer> {
    const { bucket, key } = target(call.path);
    const parameters = [...call.query.keys()].filter((name) => !anyParameter.test(name));
    /** The first is there, and besides it at most the others. */
    const isOnly = (first: string, ...others: string[]): boolean =>
      parameters.includes(first) && parameters.every((name) => name === first || others.includes(name));
    const unsupported = (): AwsError =>
      new AwsError(
        'UnsupportedOperation',
        `The embedded cloud does not implement s3 ${call.method} ${key ? '/bucket/key' : bucket ? '/bucket' : '/'}${parameters.length > 0 ? `?${parameters.join('&')}` : ''}.`,
        400,
      );
    if (bucket === '') {
      if (call.method === 'GET' && parameters.every((name) => bucketParameters.test(name)))
        return listBuckets(access, call);
      throw unsupported();
    }
    if (key === '' && call.method === 'PUT' && parameters.length === 0)
      return createBucket(access, call, bucket);
    if (!access.store.bucket(bucket)) throw noSuchBucket(bucket);
    if (key === '') {
      if (call.method === 'GET' && parameters.includes('location'))
        return getBucketLocation(access, call, bucket);
      if (call.method === 'POST' && parameters.includes('delete')) return deleteObjects(access, call, bucket);
      if (call.method === 'HEAD' && parameters.length === 0) return headBucket(access, call, bucket);
      if (call.method === 'GET' && isOnly('uploads', 'prefix', 'encoding-type', 'max-uploads'))
        return listUploads(access, call, bucket);
      if (call.method === 'GET' && parameters.every((name) => listParameters.test(name)))
        return listObjects(access, call, bucket);
      throw unsupported();
    }
    if (call.method === 'POST' && isOnly('uploads')) return createUpload(access, call, bucket, key);
    if (call.method === 'PUT' && isOnly('uploadId', 'partNumber'))
      return uploadPart(access, call, bucket, key);
    if (call.method === 'POST' && isOnly('uploadId')) return completeUpload(access, call, bucket, key);
    if (call.method === 'DELETE' && isOnly('uploadId')) return abortUpload(access, call, bucket, key);
    if (call.method === 'GET' && isOnly('uploadId', 'max-parts', 'part-number-marker'))
      return listParts(access, call, bucket, key);
    if (parameters.length > 0) throw unsupported();
    if (call.method === 'GET' || call.method === 'HEAD') return readObject(access, call, bucket, key);
    if (call.method === 'DELETE') return deleteObject(access, call, bucket, key);
    if (call.method !== 'PUT') throw unsupported();
    return call.headers['x-amz-copy-source'] === undefined
      ? putObject(access, call, bucket, key)
      : copyObject(access, call, bucket, key);
  }

  return {
    signingName: 's3',
    resourceTypes: {
      'AWS::S3::Bucket': {
        physicalId: (declared) =>
          declared.properties?.BucketName ?? generatedName(declared, 63).toLowerCase(),
        attributes: ({ physicalId }) => ({
          Arn: bucketArn(physicalId),
          DomainName: `${physicalId}.s3.amazonaws.com`,
          RegionalDomainName: `${physicalId}.s3.${cloud.region}.amazonaws.com`,
        }),
      },
      'AWS::S3::BucketPolicy': { physicalId: (declared) => declared.properties.Bucket },
    },
    async deploy(resources) {
      const buckets = resources.filter((one) => one.type === 'AWS::S3::Bucket');
      for (const one of buckets) access.store.declareBucket(one.physicalId);
      access.policies.clear();
      for (const { type, logicalId, properties } of resources)
        if (type === 'AWS::S3::BucketPolicy')
          access.policies.add(properties.Bucket, properties.PolicyDocument, logicalId);
      rules = readLifecycleRules(buckets, (logicalId, member) =>
        cloud.log('s3', `${logicalId}: the embedded cloud ignores lifecycle rules with ${member}`),
      );
      for (const { logicalId, properties } of buckets)
        for (const member of withoutEffect)
          if (properties?.[member]) cloud.log('s3', `${logicalId}: the embedded cloud ignores ${member}`);
      access.store.sweep();
      access.uploads.sweep();
    },
    async start() {
      const expire = (): void => expireObjects(cloud, access.store, rules);
      expire();
      stopExpiry = cloud.every(3_600_000, 's3 lifecycle', expire);
    },
    async stop() {
      stopExpiry();
    },
    async serve(call) {
      return answer(call);
    },
  };
}

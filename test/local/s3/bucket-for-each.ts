/** A bucket in a cloud of its own. */
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach } from 'vitest';
import type { Service } from '../../../local/platform.ts';
import { createS3 } from '../../../local/s3.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';
import { type TestEndpoint, testEndpoint } from '../test-endpoint.ts';
import { bucketOf } from './declared-bucket.ts';

/** Its name. */
export const Bucket = 'artifacts';

/** For the tests of one file: a bucket for each, and a client of whoever `clientOf` of an endpoint is called with. */
export function bucketForEach(...who: Parameters<TestEndpoint['clientOf']>) {
  let cloud: TestCloud;
  let service: Service;
  let endpoint: TestEndpoint;
  let s3: S3Client;
  beforeEach(async () => {
    cloud = testCloud();
    service = createS3(cloud);
    await service.deploy?.([bucketOf(Bucket)]);
    endpoint = await testEndpoint(cloud, [service]);
    s3 = new S3Client(endpoint.clientOf(...who));
  });
  afterEach(async () => {
    s3.destroy();
    await endpoint.close();
    cloud.remove();
  });
  return { cloud: () => cloud, service: () => service, endpoint: () => endpoint, s3: () => s3 };
}

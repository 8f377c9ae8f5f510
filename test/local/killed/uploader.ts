/** A process that serves one bucket until it is killed: `node uploader.ts <home>` prints the endpoint and its keys. */
import { createS3 } from '../../../local/s3.ts';
import { bucketOf } from '../s3/declared-bucket.ts';
import { testCloud } from '../test-cloud.ts';
import { testEndpoint } from '../test-endpoint.ts';

const cloud = testCloud(process.argv[2]);
const service = createS3(cloud);
await service.deploy?.([bucketOf('artifacts')]);
const endpoint = await testEndpoint(cloud, [service]);
process.stdout.write(`${JSON.stringify(endpoint.clientOf())}\n`);

import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { ecrPlace } from '../ecr/place.ts';
import { batchPlace, executionRole, image, shell } from './place.ts';

const docker = (args: string[], config = tmpdir()) =>
  promisify(execFile)('docker', args, { env: { ...process.env, DOCKER_CONFIG: config } });

let place: Awaited<ReturnType<typeof batchPlace>>;
let foreign: Awaited<ReturnType<typeof ecrPlace>>;
/** By digest, in the account's own ECR and in a registry elsewhere. */
let own: string;
let elsewhere: string;

/** Pushes the test image as `<host>/acme/app:1`; returns the reference by digest. The engine keeps no copy of its name. */
async function push(host: string, password: string): Promise<string> {
  const config = mkdtempSync(join(place.cloud.home, 'docker-'));
  const auth = Buffer.from(`AWS:${password}`).toString('base64');
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  const target = `${host}/acme/app:1`;
  await docker(['tag', image, target], config);
  const { stdout } = await docker(['push', target], config);
  await docker(['rmi', target], config);
  return `${host}/acme/app@${/digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1]}`;
}

beforeAll(async () => {
  place = await batchPlace();
  foreign = await ecrPlace(await createCloudWithEndpoint());
  await foreign.create('acme/app');
  const local = await ecrPlaceOf(place);
  own = await push(place.cloud.registryHost, local);
  elsewhere = await push(foreign.cloud.registryHost, passwordOf(foreign.token));
});
afterAll(async () => {
  await docker(['rmi', '-f', own]);
  await place.cloud.close();
  await foreign.cloud.close();
});

const passwordOf = (token: string) => Buffer.from(token, 'base64').toString().slice('AWS:'.length);
async function ecrPlaceOf({ cloud, ecr }: typeof place): Promise<string> {
  const root = { arn: 'arn:aws:iam::000000000000:root', kind: 'root', sessionName: 'root' } as const;
  await ecr.operations?.CreateRepository?.({
    principal: root,
    requestId: '1',
    operation: 'CreateRepository',
    input: { repositoryName: 'acme/app' },
    rawBody: Buffer.from(''),
    authorize: (action, resource) => cloud.authorize(root, action, resource),
  });
  return ecr.passwordFor(root);
}

describe('E5 Batch pulls an image', () => {
  test("of the account's own ECR with the execution role's rights, cached or not", async () => {
    for (const action of ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']) {
      place.cloud.denied.add(`${executionRole} ${action}`);
      const job = await place.run({ image: own, ...shell('true') });
      place.cloud.denied.clear();
      expect(job.attempts?.[0]?.container?.reason).toMatch(
        /^CannotPullContainerError: .*is not authorized to perform: ecr:/,
      );
    }
    expect(await place.run({ image: own, ...shell('true') })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await place.run({ image: own, ...shell('true') })).toMatchObject({ status: 'SUCCEEDED' });
    const noRole = await place.run({ image: own, executionRoleArn: undefined, ...shell('true') });
    expect(noRole.attempts?.[0]?.container?.reason).toMatch(
      /^CannotPullContainerError: .*no basic auth credentials/,
    );
  });

  test('of another registry with the secret that the definition names, or not at all', async () => {
    const secret = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:registry-abcdef';
    const container = {
      image: elsewhere,
      repositoryCredentials: { credentialsParameter: secret },
      ...shell('true'),
    };
    place.cloud.secrets.set(secret, JSON.stringify({ username: 'AWS', password: 'wrong' }));
    const wrong = await place.run(container);
    expect(wrong.attempts?.[0]).toMatchObject({
      statusReason: 'Task failed to start',
      container: { reason: expect.stringMatching(/^CannotPullContainerError: Error response from daemon: /) },
    });
    place.cloud.secrets.set(secret, JSON.stringify({ username: 'AWS', password: passwordOf(foreign.token) }));
    expect(await place.run(container)).toMatchObject({ status: 'SUCCEEDED' });
    await docker(['rmi', '-f', elsewhere]);
  });
});

/** R10: pull-through cache rules, with a real registry upstream. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeclaredResource } from '../../../local/platform.ts';
import { type DockerRegistry, startDockerRegistry } from '../../../scripts/docker-registry.ts';
import { SmallImages } from '../../../scripts/small-images.ts';
import { acmeRole, codeOf, ecrPlace } from './place.ts';

const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/hub-AbCdEf';
const account = { username: 'robot', password: 'open sesame' };

const rule = (EcrRepositoryPrefix: string, UpstreamRegistryUrl: string, CredentialArn?: string) => ({
  type: 'AWS::ECR::PullThroughCacheRule',
  properties: { EcrRepositoryPrefix, UpstreamRegistryUrl, ...(CredentialArn && { CredentialArn }) },
});
const template = (properties: object) => ({
  type: 'AWS::ECR::RepositoryCreationTemplate',
  properties: { Prefix: 'stage/quay', AppliedFor: ['PULL_THROUGH_CACHE'], ...properties },
});
const untagged = (countNumber: number) =>
  JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber },
        action: { type: 'expire' },
      },
    ],
  });
const declared = [
  rule('stage/quay', 'quay.io'),
  rule('stage/hub', 'registry-1.docker.io', secretArn),
  rule('stage/public', 'public.ecr.aws'),
  template({ LifecyclePolicy: untagged(30) }),
];
const aDayAgo = (place: Place) =>
  place.cloud.db.exec('UPDATE ecr_cached_tags SET checked_at = checked_at - 24 * 3600000');

type Place = Awaited<ReturnType<typeof ecrPlace>>;
let upstream: DockerRegistry;
let closed: DockerRegistry;
let images: SmallImages;
let place: Place;
beforeAll(async () => {
  [upstream, closed] = await Promise.all([startDockerRegistry(), startDockerRegistry({ account })]);
  images = new SmallImages(upstream.host);
  place = await ecrPlace(
    undefined,
    {
      upstreams: new Map([
        ['quay.io', `http://${upstream.host}`],
        ['registry-1.docker.io', `http://${closed.host}`],
        ['public.ecr.aws', 'http://127.0.0.1:1'],
      ]),
    },
    declared,
  );
});
afterAll(async () => {
  await place.cloud.close();
  await Promise.all([upstream.stop(), closed.stop()]);
});

const manifest = (repository: string, reference: string, method = 'GET') =>
  place.request(method, `/v2/${repository}/manifests/${reference}`);
const askedOf = async (registry: DockerRegistry, repository: string) =>
  (await registry.requests()).filter((line) => line.includes(`/v2/${repository}/`) && line.includes('"GET '));

describe('R10 a repository below the prefix of a rule', () => {
  it('fetches a tag with every platform at the first pull, and once only for all who ask at once', async () => {
    const { index, arm } = await images.index('team/app', 'v1', 'first');
    const answers = await Promise.all([1, 2, 3].map(() => manifest('stage/quay/team/app', 'v1')));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('docker-content-digest')).toBe(index.digest);
    }
    const first = await askedOf(upstream, 'team/app');
    expect(new Set(first.map((line) => /GET (\S+)/.exec(line)?.[1])).size).toBe(first.length);
    const ofArm = await manifest('stage/quay/team/app', arm.digest);
    expect(await ofArm.text()).toBe(arm.body);
    for (const { digest } of JSON.parse(arm.body).layers)
      expect((await place.request('GET', `/v2/stage/quay/team/app/blobs/${digest}`)).status).toBe(200);
    await manifest('stage/quay/team/app', 'v1', 'HEAD');
    expect(await askedOf(upstream, 'team/app')).toEqual(first);
  });

  it('never fetches by digest', async () => {
    const { digest } = await images.image('team/pinned', 'v1', 'pinned');
    expect(await codeOf(await manifest('stage/quay/team/pinned', digest))).toBe('404 NAME_UNKNOWN');
    expect((await manifest('stage/quay/team/pinned', 'v1')).status).toBe(200);
    expect((await manifest('stage/quay/team/pinned', digest)).status).toBe(200);
  });

  it('compares a tag again after a day, and keeps the image before for as long as the template says', async () => {
    const old = await images.image('team/moving', 'latest', 'old');
    await manifest('stage/quay/team/moving', 'latest');
    const fresh = await images.image('team/moving', 'latest', 'fresh');
    const now = async () =>
      (await manifest('stage/quay/team/moving', 'latest')).headers.get('docker-content-digest');
    expect(await now()).toBe(old.digest);
    aDayAgo(place);
    expect(await now()).toBe(fresh.digest);
    expect((await manifest('stage/quay/team/moving', old.digest)).status).toBe(200);
    place.cloud.db.exec('UPDATE ecr_images SET pushed_at = pushed_at - 31 * 24 * 3600000');
    await place.ecr.deploy?.(declared as DeclaredResource[]);
    expect((await manifest('stage/quay/team/moving', old.digest)).status).toBe(404);
    expect((await manifest('stage/quay/team/moving', fresh.digest)).status).toBe(200);
  });

  it('needs the rights to import and to make the repository', async () => {
    await images.image('team/denied', 'v1', 'denied');
    for (const action of ['ecr:BatchImportUpstreamImage', 'ecr:CreateRepository', 'ecr:BatchGetImage']) {
      place.cloud.denied.add(`${acmeRole} ${action}`);
      expect(await codeOf(await manifest('stage/quay/team/denied', 'v1'))).toBe('403 DENIED');
      place.cloud.denied.clear();
    }
    expect(await askedOf(upstream, 'team/denied')).toEqual([]);
    expect((await manifest('stage/quay/team/denied', 'v1')).status).toBe(200);
  });

  it("uses the rule's credentials, says when upstream refuses them, and then serves on what is here", async () => {
    await new SmallImages(closed.host, account).image('library/python', '3', 'python');
    place.cloud.secrets.set(secretArn, 'no JSON');
    expect(await codeOf(await manifest('stage/hub/library/python', '3'))).toBe('403 DENIED');
    place.cloud.secrets.set(secretArn, JSON.stringify({ username: 'robot', accessToken: 'wrong' }));
    expect(await codeOf(await manifest('stage/hub/library/python', '3'))).toBe('403 DENIED');
    place.cloud.secrets.set(secretArn, JSON.stringify({ username: 'robot', accessToken: account.password }));
    expect((await manifest('stage/hub/library/python', '3')).status).toBe(200);
    place.cloud.secrets.set(secretArn, JSON.stringify({ username: 'robot', accessToken: 'wrong' }));
    aDayAgo(place);
    expect((await manifest('stage/hub/library/python', '3')).status).toBe(200);
  });

  it('says what is not upstream, and that upstream is not there; neither leaves a repository', async () => {
    expect(await codeOf(await manifest('stage/quay/team/nothing', 'v1'))).toBe('404 MANIFEST_UNKNOWN');
    expect(await codeOf(await manifest('stage/public/team/nothing', 'v1'))).toBe('503 UNAVAILABLE');
    expect(await codeOf(await manifest('stage/public/team/nothing', `sha256:${'0'.repeat(64)}`))).toBe(
      '404 NAME_UNKNOWN',
    );
  });

  it('is like any other where no rule is', async () => {
    expect(await codeOf(await manifest('stage/quayside/app', 'v1'))).toBe('404 NAME_UNKNOWN');
  });
});

describe('R10 rules are refused as AWS does', () => {
  it.each([
    ['a prefix too short', [rule('q', 'quay.io')], 'InvalidParameterException'],
    ['a prefix too long', [rule('x'.repeat(31), 'quay.io')], 'InvalidParameterException'],
    ['an unknown upstream', [rule('mine', '127.0.0.1:5000')], 'UnsupportedUpstreamRegistryException'],
    ['Docker Hub without credentials', [rule('hub', 'registry-1.docker.io')], 'InvalidParameterException'],
    [
      'a secret of another name',
      [rule('hub', 'ghcr.io', secretArn.replace('ecr-pullthroughcache', 'mine'))],
      'InvalidParameterException',
    ],
    [
      'a prefix twice',
      [rule('hub', 'quay.io'), rule('hub', 'public.ecr.aws')],
      'PullThroughCacheRuleAlreadyExistsException',
    ],
    [
      'more than 50',
      Array.from({ length: 51 }, (_, n) => rule(`prefix-${n}`, 'quay.io')),
      'LimitExceededException',
    ],
    [
      'tags without a role to set them',
      [template({ ResourceTags: [{ Key: 'a', Value: 'b' }] })],
      'ValidationException',
    ],
    [
      'an expiry that is not carried out here',
      [template({ LifecyclePolicy: '{"rules":[]}' })],
      'UnsupportedOperation',
    ],
  ])('%s', async (_, resources, name) => {
    await expect(ecrPlace(place.cloud, {}, resources)).rejects.toMatchObject({ name });
  });
});

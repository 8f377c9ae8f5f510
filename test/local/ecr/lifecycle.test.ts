import {
  DeleteRepositoryCommand,
  GetLifecyclePolicyCommand,
  PutLifecyclePolicyCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRepositories } from '../../../shared/aws/repositories.ts';
import { lifecyclePolicy } from '../../../shared/model/layer-cache.ts';
import { acmeRole, ecrPlace } from './place.ts';

let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace();
  await place.create('acme/app');
});
afterAll(() => place.cloud.close());

const put = (lifecyclePolicyText: string, repositoryName = 'acme/app') =>
  place.client.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
const get = (repositoryName = 'acme/app') =>
  place.client.send(new GetLifecyclePolicyCommand({ repositoryName }));

const untagged = { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 14 };
const rule = (rulePriority: number, selection: object = {}, more: object = {}) => ({
  rulePriority,
  description: 'A rule that is long enough, since ECR takes no policy of less than 100 characters',
  selection: { ...untagged, ...selection },
  action: { type: 'expire' },
  ...more,
});
const tagged = { tagStatus: 'tagged', tagPatternList: ['a*'] };

describe('ECR lifecycle policies', () => {
  test('are kept as they were given, and replaced', async () => {
    await expect(get()).rejects.toMatchObject({ name: 'LifecyclePolicyNotFoundException' });
    const policies = [
      { rules: [rule(1)] },
      {
        rules: [
          rule(2, { ...tagged, countType: 'imageCountMoreThan', countUnit: undefined }),
          rule(7, { tagStatus: 'any' }),
        ],
      },
    ];
    for (const policy of policies) {
      const text = JSON.stringify(policy);
      expect(await put(text)).toMatchObject({ repositoryName: 'acme/app', lifecyclePolicyText: text });
      const kept = await get();
      expect(kept.lifecyclePolicyText).toBe(text);
      expect(kept).not.toHaveProperty('lastEvaluatedAt');
    }
  });

  test.each([
    ['{"rules":[]}', '100 to 30720'],
    [' '.repeat(120), 'not valid JSON'],
    [[], 'rules'],
    [[rule(0)], 'rulePriority'],
    [[rule(1), rule(1, tagged)], 'the same rulePriority'],
    [[rule(1), rule(2)], 'only one rule'],
    [[rule(1, { tagStatus: 'any' }), rule(2, tagged)], 'must have the highest rulePriority'],
    [[rule(1, { tagStatus: 'tagged' })], 'tagPatternList'],
    [[rule(1, { ...tagged, tagPrefixList: ['a'] })], 'either tagPatternList or'],
    [[rule(1, { tagPatternList: ['a'] })], 'no other tagStatus allows'],
    [[rule(1, { ...tagged, tagPatternList: ['*a*b*c*d*'] })], 'wildcards'],
    [[rule(1, { countUnit: undefined })], 'countUnit'],
    [[rule(1, { countType: 'imageCountMoreThan' })], 'countUnit'],
    [[rule(1, { countNumber: 0 })], 'countNumber'],
    [[rule(1, {}, { action: { type: 'keep' } })], 'action'],
  ])('%j is refused', async (rules, why) => {
    const text = typeof rules === 'string' ? rules : JSON.stringify({ rules, pad: undefined }).padEnd(100);
    await expect(put(text)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(why),
    });
  });

  test('go with their repository, and need the right to be put', async () => {
    await expect(put(lifecyclePolicy, 'acme/none')).rejects.toMatchObject({
      name: 'RepositoryNotFoundException',
    });
    await place.create('acme/gone');
    await put(lifecyclePolicy, 'acme/gone');
    await place.client.send(new DeleteRepositoryCommand({ repositoryName: 'acme/gone' }));
    await place.create('acme/gone');
    await expect(get('acme/gone')).rejects.toMatchObject({ name: 'LifecyclePolicyNotFoundException' });
    place.cloud.denied.add(`${acmeRole} ecr:PutLifecyclePolicy`);
    await expect(put(lifecyclePolicy)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    place.cloud.denied.clear();
  });
});

describe('repositories that are made on demand', () => {
  test('drop replaced layer caches, unless somebody wants it otherwise', async () => {
    const { ensure } = createRepositories(place.client);
    await ensure('acme/built', 'acme');
    expect((await get('acme/built')).lifecyclePolicyText).toBe(lifecyclePolicy);
    const own = JSON.stringify({ rules: [rule(1)] });
    await put(own, 'acme/built');
    await ensure('acme/built', 'acme');
    expect((await get('acme/built')).lifecyclePolicyText).toBe(own);
  });
});

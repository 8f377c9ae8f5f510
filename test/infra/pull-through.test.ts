/** R10: what the stacks declare for the pull-through cache, and who may use it. */
import { describe, expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy } from '../../local/iam/policy.ts';
import { exampleStage, place, synthesize } from './synthesized.ts';

const everything = { dockerHub: { username: 'bot' }, ghcr: { username: 'bot' }, quay: true, ecrPublic: true };
const without = synthesize();
const cached = synthesize(exampleStage({ pullThroughCache: everything }));

function may({ ofType }: typeof cached, role: string, action: string, repository: string): boolean {
  const roles = ofType('AWS::IAM::Role').filter((one) => one.physicalId.includes(role));
  expect(roles.length).toBeGreaterThan(0);
  const statements = roles.flatMap(({ properties, logicalId }) =>
    (properties.Policies ?? []).flatMap((policy: { PolicyDocument: unknown }) =>
      parsePolicy(policy.PolicyDocument, logicalId),
    ),
  );
  const resource = `arn:aws:ecr:${place.region}:${place.accountId}:repository/${repository}`;
  return evaluatePolicy(statements, { action, resource, context: {} }) === 'Allow';
}

describe('R10 a stage that wants a cache', () => {
  test('has a rule for each registry, under the prefix of the stage, with a secret where AWS asks for one', () => {
    const rules = cached.ofType('AWS::ECR::PullThroughCacheRule').map(({ properties }) => properties);
    const secretOf = (name: string) =>
      cached
        .ofType('AWS::SecretsManager::Secret')
        .find(({ properties }) => properties.Name?.endsWith(`-${name}`));
    expect(rules).toEqual([
      {
        EcrRepositoryPrefix: 'slipway-example/docker',
        UpstreamRegistryUrl: 'registry-1.docker.io',
        CredentialArn: secretOf('docker')?.physicalId,
      },
      {
        EcrRepositoryPrefix: 'slipway-example/ghcr',
        UpstreamRegistryUrl: 'ghcr.io',
        CredentialArn: secretOf('ghcr')?.physicalId,
      },
      { EcrRepositoryPrefix: 'slipway-example/quay', UpstreamRegistryUrl: 'quay.io' },
      { EcrRepositoryPrefix: 'slipway-example/public', UpstreamRegistryUrl: 'public.ecr.aws' },
    ]);
    expect(secretOf('docker')?.properties).toMatchObject({
      Name: 'ecr-pullthroughcache/slipway-example-docker',
      SecretString: JSON.stringify({ username: 'bot', accessToken: 'not set yet' }),
    });
  });

  test('lets go of images that their tag has left', () => {
    for (const { properties } of cached.ofType('AWS::ECR::RepositoryCreationTemplate')) {
      expect(properties).toMatchObject({ AppliedFor: ['PULL_THROUGH_CACHE'], ImageTagMutability: 'MUTABLE' });
      // Tags would take a role that ECR assumes.
      expect(properties.ResourceTags).toBeUndefined();
      expect(JSON.parse(properties.LifecyclePolicy).rules[0].selection.tagStatus).toBe('untagged');
    }
  });

  test('lets the launcher fill it, hosts read it, and jobs and builds not at all', () => {
    const repository = 'slipway-example/docker/library/python';
    for (const action of ['ecr:BatchGetImage', 'ecr:BatchImportUpstreamImage', 'ecr:CreateRepository'])
      expect(may(cached, 'launcher', action, repository), action).toBe(true);
    expect(may(cached, 'launcher', 'ecr:PutImage', repository)).toBe(false);
    expect(may(cached, '-acme-execution', 'ecr:BatchGetImage', repository)).toBe(true);
    expect(may(cached, '-acme-execution', 'ecr:CreateRepository', repository)).toBe(false);
    for (const role of ['-acme-job', '-acme-builder', '-acme-instance'])
      expect(may(cached, role, 'ecr:BatchGetImage', repository), role).toBe(false);
  });
});

test('R10 a stage that wants none has none', () => {
  expect(without.ofType('AWS::ECR::PullThroughCacheRule')).toEqual([]);
  expect(without.ofType('AWS::ECR::RepositoryCreationTemplate')).toEqual([]);
  expect(may(without, '-acme-execution', 'ecr:BatchGetImage', 'slipway-example/docker/library/python')).toBe(
    false,
  );
});

test('I13 images are scanned one by one: nothing changes what the account scans', () => {
  expect(may(without, 'launcher', 'ecr:StartImageScan', 'acme/train')).toBe(true);
  expect(may(without, 'inspections', 'ecr:DescribeImageScanFindings', 'acme/train')).toBe(true);
  expect(without.ofType('AWS::ECR::RegistryScanningConfiguration')).toEqual([]);
});

import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy } from '../../local/iam/policy.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { exampleStage, place, synthesize, withDeclared } from './synthesized.ts';
import { variants } from './variants.ts';

const stage = exampleStage();
const kept = synthesize(stage);
const dropped = synthesize(exampleStage({ retainData: false }));

test('I1 the table has an index for every sortable column and one for what is due', () => {
  const { GlobalSecondaryIndexes, KeySchema } = kept.find('AWS::DynamoDB::Table').properties;
  const keys = (schema: { AttributeName: string }[]) => schema.map((one) => one.AttributeName);
  expect(keys(KeySchema)).toEqual(['pk', 'sk']);
  expect(
    Object.fromEntries(
      GlobalSecondaryIndexes.map((one: { IndexName: string; KeySchema: { AttributeName: string }[] }) => [
        one.IndexName,
        keys(one.KeySchema),
      ]),
    ),
  ).toEqual({
    byStatus: ['pk', 'statusKey'],
    byRepository: ['pk', 'repositoryKey'],
    byTag: ['pk', 'tagKey'],
    byRegistry: ['pk', 'registryKey'],
    byAuthor: ['pk', 'authorKey'],
    byProject: ['pk', 'projectKey'],
    byImage: ['pk', 'imageKey'],
    byDue: ['openKey', 'dueAt'],
  });
  for (const one of GlobalSecondaryIndexes) expect(one.Projection).toEqual({ ProjectionType: 'ALL' });
});

test('the table costs nothing when idle, forgets by itself and can be restored', () => {
  expect(kept.find('AWS::DynamoDB::Table').properties).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
});

describe('buckets', () => {
  test('are closed to the public and to plain HTTP', () => {
    const policies = new Map(
      kept
        .ofType('AWS::S3::BucketPolicy')
        .map((one) => [one.properties.Bucket, one.properties.PolicyDocument]),
    );
    for (const bucket of kept.ofType('AWS::S3::Bucket')) {
      expect(bucket.properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(policies.get(bucket.physicalId).Statement).toContainEqual(
        expect.objectContaining({
          Effect: 'Deny',
          Action: 's3:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  });

  test('uploads, logs and what builds read of every organisation end by themselves; outputs do not', () => {
    const { Rules } = kept.find('AWS::S3::Bucket', 'artifacts').properties.LifecycleConfiguration;
    const ending = Rules.filter((one: { ExpirationInDays?: number }) => one.ExpirationInDays).map(
      (one: { Prefix: string }) => one.Prefix,
    );
    expect(ending).toEqual(
      stage.organisations.flatMap(({ id }) => [`${id}/uploads/`, `${id}/builds/`, `${id}/logs/`]),
    );
  });
});

describe('retainData', () => {
  const stateful = [
    'AWS::DynamoDB::Table',
    'AWS::S3::Bucket',
    'AWS::SecretsManager::Secret',
    'AWS::Cognito::UserPool',
    'AWS::ECR::Repository',
  ];
  const policiesOf = ({ templates }: typeof kept) =>
    templates
      .flatMap(({ template }) => Object.values(template.Resources ?? {}))
      .filter((one) => stateful.includes(one.Type))
      .map((one) => {
        const { DeletionPolicy, UpdateReplacePolicy } = one as {
          DeletionPolicy?: string;
          UpdateReplacePolicy?: string;
        };
        return `${DeletionPolicy}, ${UpdateReplacePolicy}`;
      });
  const protectedStacks = (of: Stage) =>
    withDeclared(of, (app) =>
      app.node.children.flatMap((one) =>
        Stack.isStack(one) && one.terminationProtection ? [one.stackName] : [],
      ),
    );

  test('keeps data when a stack is deleted, but not what a failed first deployment has made', () => {
    expect(new Set(policiesOf(kept))).toEqual(new Set(['RetainExceptOnCreate, Retain']));
    expect(protectedStacks(stage)).toEqual(['slipway-example-data']);
  });

  test('or lets it go', () => {
    expect(new Set(policiesOf(dropped))).toEqual(new Set(['Delete, Delete']));
    expect(protectedStacks(exampleStage({ retainData: false }))).toEqual([]);
  });

  test('no resource refuses to be deleted, which would end the rollback of a failed deployment half-way', () => {
    const refusing = [...kept.resources, ...dropped.resources].filter(({ properties }) =>
      [properties.DeletionProtectionEnabled, properties.DeletionProtection].some(
        (value) => value === true || value === 'ACTIVE',
      ),
    );
    expect(refusing.map(({ logicalId }) => logicalId)).toEqual([]);
  });

  test.each(Object.entries(variants))(
    'a first deployment that fails keeps nothing that the next one would find in its way: %s',
    (_, variant) => {
      const policies = synthesize(variant).templates.flatMap(({ template }) =>
        Object.values(template.Resources ?? {}).map(
          (one) => (one as { DeletionPolicy?: string }).DeletionPolicy,
        ),
      );
      expect(policies).not.toContain('Retain');
      expect(policies).not.toContain('Snapshot');
    },
  );
});

test('repositories keep their tags movable: the cache and the latest build move', () => {
  expect(kept.find('AWS::ECR::Repository').properties).toMatchObject({
    RepositoryName: 'slipway/python',
    ImageTagMutability: 'MUTABLE',
  });
});

describe('B4 mail', () => {
  test('by default SES is asked to verify the sender', () => {
    expect(kept.find('AWS::SES::EmailIdentity').properties.EmailIdentity).toBe(stage.mailFrom);
  });

  test('an identity that the account has already is left alone, and may be the domain', () => {
    const existing = synthesize(exampleStage({ mailIdentity: 'existing' }));
    expect(existing.ofType('AWS::SES::EmailIdentity')).toEqual([]);
    const may = sending(existing);
    expect(may('identity/example.com', stage.mailFrom)).toBe(true);
    expect(may('configuration-set/the-owners', stage.mailFrom)).toBe(true);
  });

  test("is sent from the configured address only, in the sandbox with the recipient's identity too", () => {
    const may = sending(kept);
    for (const identity of [stage.mailFrom, 'ada@elsewhere.example'])
      expect(may(`identity/${identity}`, stage.mailFrom)).toBe(true);
    expect(may('configuration-set/slipway-example', stage.mailFrom)).toBe(true);
    expect(may('configuration-set/another', stage.mailFrom)).toBe(false);
    expect(may(`identity/${stage.mailFrom}`, 'ceo@example.com')).toBe(false);
    expect(may(`identity/${stage.mailFrom}`)).toBe(false);
  });

  /** Whether the function that mails may send by a resource of SES, `from` an address. */
  function sending({ find }: ReturnType<typeof synthesize>) {
    const policies: { PolicyDocument: unknown }[] = find('AWS::IAM::Role', 'buildeventsRole').properties
      .Policies;
    const statements = policies.flatMap((one) => parsePolicy(one.PolicyDocument, 'a role'));
    return (resource: string, from?: string) =>
      evaluatePolicy(statements, {
        action: 'ses:SendEmail',
        resource: `arn:aws:ses:${place.region}:${place.accountId}:${resource}`,
        context: from === undefined ? {} : { 'ses:FromAddress': from },
      }) === 'Allow';
  }
});

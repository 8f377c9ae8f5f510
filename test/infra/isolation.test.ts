import { describe, expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy, type Statement } from '../../local/iam/policy.ts';
import { place, synthesize } from './synthesized.ts';

const { ofType, find } = synthesize();
const bucket = find('AWS::S3::Bucket', 'artifacts').attributes.Arn;
const regional = (service: string, resource: string) =>
  `arn:aws:${service}:${place.region}:${place.accountId}:${resource}`;

function roleOf(organisation: string, kind: string): Statement[] {
  const role = ofType('AWS::IAM::Role').find(
    (one) => one.physicalId === `slipway-example-${organisation}-${kind}`,
  );
  if (!role) throw new Error(`no role ${kind} of ${organisation}`);
  return (role.properties.Policies ?? []).flatMap((policy: { PolicyDocument: unknown }) =>
    parsePolicy(policy.PolicyDocument, role.logicalId),
  );
}

function may(organisation: string, kind: string, action: string, resource: string, context = {}): boolean {
  return evaluatePolicy(roleOf(organisation, kind), { action, resource, context }) === 'Allow';
}

/** What each role is for, with the organisation left open. */
const uses: [kind: string, action: string, resource: (organisation: string) => string][] = [
  ['builder', 'ecr:PutImage', (id) => regional('ecr', `repository/${id}/train`)],
  ['builder', 'ecr:BatchGetImage', (id) => regional('ecr', `repository/${id}/base/cuda`)],
  [
    'builder',
    'secretsmanager:GetSecretValue',
    (id) => regional('secretsmanager', `secret:slipway/example/${id}/registries/reg_1-AbCdEf`),
  ],
  [
    'builder',
    'secretsmanager:GetSecretValue',
    (id) => regional('secretsmanager', `secret:slipway/example/${id}/secrets/pip-AbCdEf`),
  ],
  ['builder', 's3:GetObject', (id) => `${bucket}/${id}/uploads/upl_1`],
  ['builder', 's3:GetObject', (id) => `${bucket}/${id}/builds/bld_1/spec.json`],
  ['builder', 's3:PutObject', (id) => `${bucket}/${id}/builds/bld_1/result.json`],
  [
    'builder',
    'logs:PutLogEvents',
    (id) => regional('logs', `log-group:/slipway/example/builds:log-stream:${id}/0a1b`),
  ],
  ['execution', 'ecr:BatchGetImage', (id) => regional('ecr', `repository/${id}/train`)],
  [
    'execution',
    'secretsmanager:GetSecretValue',
    (id) => regional('secretsmanager', `secret:slipway/example/${id}/registries/reg_1-AbCdEf`),
  ],
  [
    'execution',
    'logs:PutLogEvents',
    (id) => regional('logs', `log-group:/slipway/example/jobs:log-stream:${id}/default/0a1b`),
  ],
  [
    'instance',
    'ecs:RegisterContainerInstance',
    (id) => regional('ecs', `cluster/AWSBatch-slipway-example-${id}-gpu-0a1b2c3d`),
  ],
  [
    'instance',
    'ecs:RegisterContainerInstance',
    (id) => regional('ecs', `cluster/AWSBatch-slipway-example-${id}-gpu-spot-4e5f6071`),
  ],
  [
    'instance',
    'ecs:Poll',
    (id) => regional('ecs', `container-instance/AWSBatch-slipway-example-${id}-cpu-0a1b2c3d/99`),
  ],
];

// "acme" begins "acme-labs", so a pattern that ends too early shows.
describe.each([
  ['acme', 'acme-labs'],
  ['acme-labs', 'acme'],
])("roles of %s reach their own organisation's and not %s's", (mine, other) => {
  test.each(uses)('%s: %s', (kind, action, resource) => {
    expect(may(mine, kind, action, resource(mine))).toBe(true);
    expect(may(mine, kind, action, resource(other))).toBe(false);
  });
});

describe('what no role of an organisation may do', () => {
  const table = find('AWS::DynamoDB::Table').attributes.Arn ?? '';
  const refused: [string, string][] = [
    ['dynamodb:GetItem', table],
    ['dynamodb:BatchGetItem', table],
    ['dynamodb:Query', table],
    ['iam:PassRole', `arn:aws:iam::${place.accountId}:role/slipway-example-acme-builder`],
    ['sts:AssumeRole', `arn:aws:iam::${place.accountId}:role/slipway-example-acme-builder`],
    ['ecr:CreateRepository', regional('ecr', 'repository/acme/new')],
    ['ecr:PutImage', regional('ecr', 'repository/slipway/python')],
    ['batch:SubmitJob', regional('batch', 'job-queue/slipway-example-acme-gpu')],
    ['codebuild:StartBuild', regional('codebuild', 'project/slipway-example-builds')],
    ['s3:PutObject', `${bucket}/acme/builds/bld_1/spec.json`],
    ['secretsmanager:GetSecretValue', find('AWS::SecretsManager::Secret').physicalId],
  ];
  test.each(refused)('%s on %s', (action, resource) => {
    for (const kind of ['builder', 'execution', 'job', 'instance'])
      expect(may('acme', kind, action, resource), kind).toBe(false);
  });

  test("user's code on a host reads no secret and pulls no image with the roles at hand", () => {
    for (const kind of ['job', 'instance']) {
      expect(
        may(
          'acme',
          kind,
          'secretsmanager:GetSecretValue',
          regional('secretsmanager', 'secret:slipway/example/acme/secrets/x-AbCdEf'),
        ),
      ).toBe(false);
      expect(may('acme', kind, 'ecr:GetAuthorizationToken', '*')).toBe(false);
    }
  });
});

test('the project itself may do nothing: a build without its organisation fails at once', () => {
  expect(find('AWS::IAM::Role', 'ProjectRole').properties.Policies).toBeUndefined();
});

test("the experiments' own role may do nothing", () => {
  for (const id of ['acme', 'acme-labs'])
    expect(find('AWS::IAM::Role', `slipway-example-${id}-job`).properties.Policies).toBeUndefined();
});

test("what starts a job reads the accounts at registries, and none of the organisation's other secrets", () => {
  for (const kind of ['secrets/pip', 'experiments/exp_1', 'registry/reg_1'])
    expect(
      may(
        'acme',
        'execution',
        'secretsmanager:GetSecretValue',
        regional('secretsmanager', `secret:slipway/example/acme/${kind}-AbCdEf`),
      ),
      kind,
    ).toBe(false);
});

describe('builds and the bucket of all assets of the account', () => {
  const assets = 'arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1';
  const builder = `${assets}/slipway-example/builder/${'0'.repeat(64)}.zip`;

  test("read the builder's files, and nobody else's", () => {
    expect(may('acme', 'builder', 's3:GetObject', builder)).toBe(true);
    for (const key of [
      `${'0'.repeat(64)}.zip`,
      `slipway-example/${'0'.repeat(64)}.zip`,
      'other/builder/x.zip',
    ])
      expect(may('acme', 'builder', 's3:GetObject', `${assets}/${key}`), key).toBe(false);
    expect(may('acme', 'builder', 's3:GetObject', builder.replace('.zip', '.json'))).toBe(false);
    expect(may('acme', 'builder', 's3:PutObject', builder)).toBe(false);
  });

  test('decrypt them where the bucket has a key of its own, by way of S3 only', () => {
    const decrypt = (context: object) =>
      may('acme', 'builder', 'kms:Decrypt', regional('kms', 'key/0a1b'), context);
    const s3 = { 'kms:ViaService': `s3.${place.region}.amazonaws.com` };
    for (const encrypted of [builder, assets])
      expect(decrypt({ ...s3, 'kms:EncryptionContext:aws:s3:arn': encrypted })).toBe(true);
    for (const encrypted of [
      `${assets}/other.zip`,
      bucket ?? '',
      `${assets}-2/slipway-example/builder/0.zip`,
    ])
      expect(decrypt({ ...s3, 'kms:EncryptionContext:aws:s3:arn': encrypted }), encrypted).toBe(false);
    expect(decrypt({ 'kms:EncryptionContext:aws:s3:arn': builder })).toBe(false);
    expect(decrypt(s3)).toBe(false);
  });
});

test('the launcher registers no privileged container', () => {
  const policies: { PolicyDocument: unknown }[] = find('AWS::IAM::Role', 'launcherRole').properties.Policies;
  const statements = policies.flatMap((one) => parsePolicy(one.PolicyDocument, 'launcher'));
  const resource = regional('batch', 'job-definition/slipway-example-acme-0a1b');
  const register = (context: Record<string, string>) =>
    evaluatePolicy(statements, { action: 'batch:RegisterJobDefinition', resource, context }) === 'Allow';
  expect(register({})).toBe(true);
  expect(register({ 'batch:Privileged': 'false' })).toBe(true);
  expect(register({ 'batch:Privileged': 'true' })).toBe(false);
});

test('every role is assumed by one service, on behalf of this account where the service says for whom', () => {
  const services: Record<string, string> = {
    builder: 'codebuild',
    execution: 'ecs-tasks',
    job: 'ecs-tasks',
    instance: 'ec2',
  };
  const roles = ofType('AWS::IAM::Role');
  for (const { physicalId, properties } of roles) {
    const { Statement: trust } = properties.AssumeRolePolicyDocument;
    expect(trust, physicalId).toHaveLength(1);
    const { Service } = trust[0].Principal;
    const [, kind = ''] = /-acme(?:-labs)?-(builder|execution|job|instance)$/.exec(physicalId) ?? [];
    if (services[kind]) expect(Service, physicalId).toBe(`${services[kind]}.amazonaws.com`);
    // Neither Lambda nor EC2 says so when it assumes a role.
    if (Service === 'lambda.amazonaws.com' || Service === 'ec2.amazonaws.com') continue;
    expect(trust[0].Condition, physicalId).toEqual({
      StringEquals: { 'aws:SourceAccount': place.accountId },
    });
  }
  expect(
    new Set(
      roles.map(({ properties }) => properties.AssumeRolePolicyDocument.Statement[0].Principal.Service),
    ),
  ).toEqual(
    new Set(
      ['codebuild', 'ecs-tasks', 'ec2', 'lambda', 'states', 'scheduler'].map((one) => `${one}.amazonaws.com`),
    ),
  );
});

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
  ['execution', 'ecr:BatchGetImage', (id) => regional('ecr', `repository/${id}/train`)],
  [
    'execution',
    'secretsmanager:GetSecretValue',
    (id) => regional('secretsmanager', `secret:slipway/example/${id}/experiments/exp_1-AbCdEf`),
  ],
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
  ['job', 's3:PutObject', (id) => `${bucket}/${id}/outputs/exp_1/model.bin`],
  ['job', 's3:GetObject', (id) => `${bucket}/${id}/outputs/exp_1/model.bin`],
  ['job', 's3:GetObject', (id) => `${bucket}/${id}/uploads/upl_1`],
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

  test('the job role lists outputs of its own only', () => {
    const list = (prefix: string) => may(mine, 'job', 's3:ListBucket', bucket ?? '', { 's3:prefix': prefix });
    expect(list(`${mine}/outputs/exp_1/`)).toBe(true);
    expect(list(`${other}/outputs/exp_1/`)).toBe(false);
    expect(list('')).toBe(false);
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

test('roles are assumed by the one service that they are for, on behalf of this account', () => {
  const services = { builder: 'codebuild', execution: 'ecs-tasks', job: 'ecs-tasks', instance: 'ec2' };
  for (const [kind, service] of Object.entries(services)) {
    const { Statement: trust } = find('AWS::IAM::Role', `slipway-example-acme-${kind}`).properties
      .AssumeRolePolicyDocument;
    expect(trust).toHaveLength(1);
    expect(trust[0].Principal).toEqual({ Service: `${service}.amazonaws.com` });
    if (service !== 'ec2')
      expect(trust[0].Condition).toEqual({ StringEquals: { 'aws:SourceAccount': place.accountId } });
  }
});

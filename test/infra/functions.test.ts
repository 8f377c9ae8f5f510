import { expect, test } from 'vitest';
import { functionDeclarations } from '../../infra/functions/index.ts';
import { parsePolicy } from '../../local/iam/policy.ts';
import { exampleStage, synthesize } from './synthesized.ts';

const { ofType, find } = synthesize();
const functions = ofType('AWS::Lambda::Function');

test('every declared function is there: arm64, Node 24, bundled as index.mjs', () => {
  expect(functions.map((one) => one.physicalId).sort()).toEqual(
    functionDeclarations.map(({ name }) => `slipway-example-${name}`).sort(),
  );
  for (const { properties } of functions)
    expect(properties).toMatchObject({
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
    });
});

test('none reserves concurrency, which fails in accounts with a low limit', () => {
  for (const { properties } of functions)
    expect(properties).not.toHaveProperty('ReservedConcurrentExecutions');
});

test("environments stay below Lambda's 4 KB, whatever the deploy-time values", () => {
  for (const { properties, physicalId } of functions) {
    const variables: Record<string, string> = properties.Environment?.Variables ?? {};
    // Real ARNs and generated names are longer than the ones that stand in for them here.
    const bytes = Object.entries(variables).reduce(
      (sum, [key, value]) => sum + key.length + value.length + 100,
      0,
    );
    expect(bytes, physicalId).toBeLessThan(4096);
  }
});

test('functions behind the API answer before the gateway gives up', () => {
  const integrated = new Set(
    ofType('AWS::ApiGatewayV2::Integration').map((one) => one.properties.IntegrationUri),
  );
  const behind = functions.filter((one) => integrated.has(one.attributes.Arn));
  expect(behind.length).toBeGreaterThan(0);
  for (const { properties } of behind) expect(properties.Timeout).toBeLessThan(30);
});

test('each has a log group of its own with an end, and may write to no other', () => {
  const groups = new Map(ofType('AWS::Logs::LogGroup').map((one) => [one.physicalId, one]));
  for (const { properties, physicalId } of functions) {
    const group = groups.get(properties.LoggingConfig.LogGroup);
    expect(group?.properties.RetentionInDays, physicalId).toBe(30);
    const role = ofType('AWS::IAM::Role').find((one) => one.attributes.Arn === properties.Role);
    const writable = statementsOf(role?.properties.Policies)
      .filter((one) => one.actions.includes('logs:PutLogEvents'))
      .flatMap((one) => one.resources);
    expect(writable, physicalId).toEqual([group?.attributes.Arn]);
  }
  for (const group of groups.values()) expect(group.properties.RetentionInDays).toBeGreaterThan(0);
});

test('no policy anywhere has a wildcard for an action, and no managed policy is attached', () => {
  for (const role of ofType('AWS::IAM::Role')) {
    for (const { actions } of statementsOf(role.properties.Policies))
      expect(
        actions.filter((action) => action.includes('*')),
        role.logicalId,
      ).toEqual([]);
    expect(role.properties.ManagedPolicyArns, role.logicalId).toBeUndefined();
  }
  expect(ofType('AWS::IAM::Policy')).toEqual([]);
  expect(ofType('AWS::IAM::ManagedPolicy')).toEqual([]);
});

const manyOrganisations = (count: number) =>
  exampleStage({
    organisations: Array.from({ length: count }, (_, index) => `organisation-${index}`).map((id) => ({
      id,
      title: id,
      adminEmail: `admin@${id}.example`,
    })),
  });

test("too many organisations for IAM's 10,240 characters per role are refused at synth", () => {
  expect(() => synthesize(manyOrganisations(60))).toThrow(
    /policy of slipway-example-api\/[\w-]+ has some 1\d+ characters/,
  );
});

test("policies of a role stay below IAM's 10,240 characters with twenty-five organisations", () => {
  for (const role of synthesize(manyOrganisations(25)).ofType('AWS::IAM::Role')) {
    const characters = (role.properties.Policies ?? [])
      .map((policy: { PolicyDocument: unknown }) => JSON.stringify(policy.PolicyDocument).length)
      .reduce((sum: number, length: number) => sum + length, 0);
    expect(characters, role.logicalId).toBeLessThan(10_240);
  }
});

test('roles are handed on only by exact name, each to the services that it is for', () => {
  const passing = ofType('AWS::IAM::Role').flatMap((role) =>
    statementsOf(role.properties.Policies).filter((one) => one.actions.includes('iam:PassRole')),
  );
  expect(passing.length).toBeGreaterThan(0);
  for (const { actions, resources, conditions } of passing) {
    const [condition] = conditions;
    expect(actions).toEqual(['iam:PassRole']);
    expect(condition).toMatchObject({ operator: 'StringEquals', key: 'iam:PassedToService' });
    const builds = condition?.values.includes('codebuild.amazonaws.com');
    expect(condition?.values).toEqual(
      builds ? ['codebuild.amazonaws.com'] : ['ecs-tasks.amazonaws.com', 'batch.amazonaws.com'],
    );
    const kinds = builds ? 'builder' : 'execution|job';
    for (const arn of resources)
      expect(arn).toMatch(new RegExp(`:role/slipway-example-acme(-labs)?-(${kinds})$`));
  }
});

test('nothing scans the table', () => {
  expect(JSON.stringify(ofType('AWS::IAM::Role'))).not.toContain('dynamodb:Scan');
});

test('the function before the authorizer may touch nothing', () => {
  const { properties } = find('AWS::Lambda::Function', ' slipway-example-public');
  const role = ofType('AWS::IAM::Role').find((one) => one.attributes.Arn === properties.Role);
  expect(statementsOf(role?.properties.Policies).flatMap((one) => one.actions)).toEqual([
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ]);
});

function statementsOf(policies: { PolicyDocument: unknown }[] = []) {
  return policies.flatMap((policy) => parsePolicy(policy.PolicyDocument, 'a role'));
}

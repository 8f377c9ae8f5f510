import { describe, expect, test } from 'vitest';
import { iamResourceTypes, Roles } from '../../../local/iam/roles.ts';
import type { Cloud, DeclaredResource, Principal } from '../../../local/platform.ts';

const cloud = { accountId: '000000000000', region: 'us-east-1', now: () => new Date() };

/** Declared resources, named as the embedded cloud would. */
function declare(resources: Record<string, { type: string; properties: object }>): DeclaredResource[] {
  return Object.entries(resources).map(([logicalId, { type, properties }]) => {
    const naming = iamResourceTypes[type];
    const physicalId = naming?.physicalId({ stack: 'main', logicalId, properties }, cloud as Cloud) ?? '';
    const attributes = naming?.attributes?.({ physicalId, properties }, cloud as Cloud) ?? {};
    return { stack: 'main', logicalId, type, properties, physicalId, attributes };
  });
}

const trust = (Service: string, Condition?: object) => ({
  Statement: [
    { Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', ...(Condition && { Condition }) },
  ],
});

function load(resources: Record<string, { type: string; properties: object }>): Roles {
  const roles = new Roles(cloud);
  roles.load(declare(resources));
  return roles;
}

const role = (RoleName: string, properties: object = {}) => ({
  type: 'AWS::IAM::Role',
  properties: { RoleName, AssumeRolePolicyDocument: trust('lambda.amazonaws.com'), ...properties },
});

const statements = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const read = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
const principal = (name: string): Principal => ({
  arn: `arn:aws:iam::000000000000:role/${name}`,
  kind: 'role',
  sessionName: 'test',
});

const denied = expect.objectContaining({ name: 'AccessDeniedException' });

function refusal(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('permissions', () => {
  test.each<[string, Record<string, { type: string; properties: object }>]>([
    ['inline', { R: role('r', { Policies: [{ PolicyName: 'p', PolicyDocument: statements(read) }] }) }],
    [
      'AWS::IAM::Policy',
      {
        R: role('r'),
        P: {
          type: 'AWS::IAM::Policy',
          properties: { PolicyName: 'p', Roles: ['r'], PolicyDocument: statements(read) },
        },
      },
    ],
    [
      'AWS::IAM::ManagedPolicy that names the role',
      {
        R: role('r'),
        P: {
          type: 'AWS::IAM::ManagedPolicy',
          properties: { Roles: ['r'], PolicyDocument: statements(read) },
        },
      },
    ],
    [
      'AWS::IAM::ManagedPolicy that the role names',
      {
        R: role('r', { ManagedPolicyArns: ['arn:aws:iam::000000000000:policy/mine'] }),
        P: {
          type: 'AWS::IAM::ManagedPolicy',
          properties: { ManagedPolicyName: 'mine', PolicyDocument: statements(read) },
        },
      },
    ],
  ])('by %s', (_, resources) => {
    const roles = load(resources);
    expect(() => roles.authorize(principal('r'), 's3:GetObject', 'arn:x')).not.toThrow();
    expect(refusal(() => roles.authorize(principal('r'), 's3:PutObject', 'arn:x'))).toEqual(denied);
  });

  test('a permissions boundary allows too, or nothing is allowed', () => {
    const roles = load({
      R: role('r', {
        Policies: [{ PolicyName: 'p', PolicyDocument: statements({ ...read, Action: '*' }) }],
        PermissionsBoundary: 'arn:aws:iam::000000000000:policy/edge',
      }),
      P: {
        type: 'AWS::IAM::ManagedPolicy',
        properties: { ManagedPolicyName: 'edge', PolicyDocument: statements(read) },
      },
    });
    expect(() => roles.authorize(principal('r'), 's3:GetObject', 'arn:x')).not.toThrow();
    expect(refusal(() => roles.authorize(principal('r'), 's3:PutObject', 'arn:x'))).toEqual(denied);
  });

  test('a role that is declared no more may nothing', () => {
    expect(refusal(() => load({}).authorize(principal('r'), 's3:GetObject', 'arn:x'))).toEqual(denied);
  });

  test('an AWS managed policy that is not known stops the start', () => {
    const strange = { R: role('r', { ManagedPolicyArns: ['arn:aws:iam::aws:policy/Strange'] }) };
    expect(() => load(strange)).toThrow(/R: the embedded cloud doesn't know the managed policy .*Strange/);
  });

  test('iam:PassRole is granted per role and per service', () => {
    const pass = {
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: 'arn:aws:iam::000000000000:role/slipway-acme-*',
      Condition: { StringEquals: { 'iam:PassedToService': 'codebuild.amazonaws.com' } },
    };
    const roles = load({
      R: role('r', { Policies: [{ PolicyName: 'p', PolicyDocument: statements(pass) }] }),
    });
    const attempt = (name: string, service: string) =>
      refusal(() =>
        roles.authorize(principal('r'), 'iam:PassRole', `arn:aws:iam::000000000000:role/${name}`, {
          'iam:PassedToService': service,
        }),
      );
    expect(attempt('slipway-acme-builder', 'codebuild.amazonaws.com')).toBeUndefined();
    expect(attempt('slipway-acme-builder', 'ecs-tasks.amazonaws.com')).toEqual(denied);
    expect(attempt('slipway-globex-builder', 'codebuild.amazonaws.com')).toEqual(denied);
  });
});

describe('trust', () => {
  test('only the service that the role trusts may assume it', () => {
    const roles = load({ R: role('r') });
    const arn = principal('r').arn;
    expect(roles.admits(arn, 'Service', ['lambda.amazonaws.com'])).toBe(true);
    expect(roles.admits(arn, 'Service', ['codebuild.amazonaws.com'])).toBe(false);
    expect(roles.admits(principal('unknown').arn, 'Service', ['lambda.amazonaws.com'])).toBe(false);
  });

  test('conditions of the trust policy count', () => {
    const account = (id: string) => ({ StringEquals: { 'aws:SourceAccount': id } });
    const roles = load({
      Own: role('own', { AssumeRolePolicyDocument: trust('x.amazonaws.com', account('000000000000')) }),
      Foreign: role('foreign', {
        AssumeRolePolicyDocument: trust('x.amazonaws.com', account('111111111111')),
      }),
    });
    expect(roles.admits(principal('own').arn, 'Service', ['x.amazonaws.com'])).toBe(true);
    expect(roles.admits(principal('foreign').arn, 'Service', ['x.amazonaws.com'])).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches } from '../../../local/iam/patterns.ts';
import { evaluatePolicy, parsePolicy } from '../../../local/iam/policy.ts';

const decide = (
  statements: object | object[],
  request: { action: string; resource: string; context?: Record<string, string | string[]> },
) => evaluatePolicy(parsePolicy({ Statement: statements }, 'test'), { context: {}, ...request });

const allow = { Effect: 'Allow', Action: '*', Resource: '*' };
const get = { action: 's3:GetObject', resource: 'arn:aws:s3:::bucket/acme/file' };

describe('wildcards', () => {
  test.each([
    ['arn:aws:s3:::bucket/acme/*', 'arn:aws:s3:::bucket/acme/a/b', true],
    ['arn:aws:s3:::bucket/acme/*', 'arn:aws:s3:::bucket/acmex/a', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['x{y}', 'x{y}', true],
  ])('%s on %s: %s', (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected);
  });

  test('a text without wildcards fits itself only', () => {
    const plain = fc.string().filter((text) => !/[*?]/.test(text));
    fc.assert(fc.property(plain, plain, (a, b) => matches(a, b) === (a === b)));
  });

  test('actions ignore case, resources do not', () => {
    expect(decide({ ...allow, Action: 's3:getobject' }, get)).toBe('Allow');
    expect(decide({ ...allow, Resource: get.resource.toUpperCase() }, get)).toBeUndefined();
  });
});

describe('statements', () => {
  test('nothing said is nothing allowed', () => {
    expect(decide([], get)).toBeUndefined();
    expect(decide({ ...allow, Action: 's3:PutObject' }, get)).toBeUndefined();
  });

  test('an explicit Deny beats every Allow, in any order', () => {
    const deny = { Effect: 'Deny', Action: 's3:Get*', Resource: '*' };
    expect(decide([allow, deny], get)).toBe('Deny');
    expect(decide([deny, allow], get)).toBe('Deny');
  });

  test('NotAction and NotResource are the rest', () => {
    expect(decide({ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }, get)).toBeUndefined();
    expect(decide({ Effect: 'Allow', NotAction: 'sqs:*', Resource: '*' }, get)).toBe('Allow');
    expect(
      decide({ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::bucket/*' }, get),
    ).toBeUndefined();
  });

  test('policy variables are filled from the request', () => {
    const own = { ...allow, Resource: `arn:aws:s3:::bucket/\${aws:PrincipalTag/org}/*` };
    expect(decide(own, { ...get, context: { 'aws:PrincipalTag/org': 'acme' } })).toBe('Allow');
    expect(decide(own, { ...get, context: { 'aws:PrincipalTag/org': 'globex' } })).toBeUndefined();
    expect(decide(own, get)).toBeUndefined();
  });
});

describe('conditions', () => {
  test.each<[string, object, Record<string, string | string[]>, boolean]>([
    ['StringEquals', { StringEquals: { k: ['a', 'b'] } }, { k: 'b' }, true],
    ['StringEquals, key of another case', { StringEquals: { 'AWS:Key': 'a' } }, { 'aws:key': 'a' }, true],
    ['StringEquals, no such key', { StringEquals: { k: 'a' } }, {}, false],
    ['StringEqualsIfExists, no such key', { StringEqualsIfExists: { k: 'a' } }, {}, true],
    ['StringNotEquals, no such key', { StringNotEquals: { k: 'a' } }, {}, true],
    ['StringNotEquals', { StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' }, false],
    ['StringLike', { StringLike: { k: 'acme/*' } }, { k: 'acme/x' }, true],
    ['ArnLike', { ArnLike: { k: 'arn:aws:events:*:*:rule/x' } }, { k: 'arn:aws:events:e:1:rule/x' }, true],
    ['Bool', { Bool: { 'aws:SecureTransport': 'false' } }, { 'aws:SecureTransport': 'true' }, false],
    ['Null', { Null: { k: 'true' } }, {}, true],
    ['NumericLessThan', { NumericLessThan: { k: '5' } }, { k: '4' }, true],
    ['DateLessThan', { DateLessThan: { k: '2026-01-01T00:00:00Z' } }, { k: '2025-01-01T00:00:00Z' }, true],
    ['ForAllValues', { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'c'] }, false],
    ['ForAllValues of nothing', { 'ForAllValues:StringEquals': { k: ['a'] } }, {}, true],
    ['ForAnyValue', { 'ForAnyValue:StringLike': { k: 'a*' } }, { k: ['x', 'ab'] }, true],
    [
      'two operators are both needed',
      { StringEquals: { k: 'a' }, Bool: { b: 'true' } },
      { k: 'a', b: 'false' },
      false,
    ],
  ])('%s', (_, Condition, context, expected) => {
    expect(decide({ ...allow, Condition }, { ...get, context }) === 'Allow').toBe(expected);
  });

  test('an unknown operator is refused when the policy is read', () => {
    const policy = { Statement: { ...allow, Condition: { StringMoreOrLess: { k: 'a' } } } };
    expect(() => parsePolicy(policy, 'Role')).toThrow(
      /policy of Role: .*condition operator StringMoreOrLess/,
    );
  });
});

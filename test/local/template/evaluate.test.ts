import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Cloud, ResourceType } from '../../../local/platform.ts';
import { readAssembly } from '../../../local/template/assembly.ts';
import { evaluateAssembly, TemplateError } from '../../../local/template/evaluate.ts';
import { type Fixture, type FixtureStack, temporaryFolder, writeAssembly } from '../assembly.ts';

const place = { accountId: '000000000000', region: 'us-east-1' };
const folder = temporaryFolder();
afterEach(() => rmSync(join(folder.path, 'cdk.out'), { recursive: true, force: true }));

const thing: ResourceType = {
  physicalId: ({ logicalId, properties }) => properties.Name ?? logicalId.toLowerCase(),
  attributes: ({ physicalId }) => ({
    Arn: `arn:thing:${physicalId}`,
    'Endpoint.Address': `${physicalId}.host`,
  }),
};

function evaluate(fixture: Fixture) {
  const path = join(folder.path, 'cdk.out');
  mkdirSync(path, { recursive: true });
  writeAssembly(path, fixture);
  const resources = evaluateAssembly(
    readAssembly(path, place),
    (type) => (type === 'Test::Thing' ? thing : undefined),
    place as Cloud,
  );
  return Object.fromEntries(resources.map((one) => [`${one.stack}/${one.logicalId}`, one]));
}

/** The value of one expression beside a resource called `Other`. */
function evaluated(expression: unknown, template: Partial<FixtureStack> = {}): unknown {
  const { Resources, ...rest } = template;
  const own = { Type: 'Test::Thing', Properties: { Value: expression } };
  const stack = { Resources: { Own: own, Other: { Type: 'Test::Thing' }, ...Resources }, ...rest };
  return evaluate({ stacks: { main: stack } })['main/Own']?.properties.Value;
}

describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ['Ref', { Ref: 'Other' }, 'other'],
    ['a pseudo parameter', { Ref: 'AWS::AccountId' }, '000000000000'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Other', 'Arn'] }, 'arn:thing:other'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Other.Endpoint.Address' }, 'other.host'],
    [
      'Sub',
      { 'Fn::Sub': `\${Other}-\${Other.Arn}-\${AWS::Region}-\${!Raw}` },
      `other-arn:thing:other-us-east-1-\${Raw}`,
    ],
    ['Sub with values', { 'Fn::Sub': [`\${name}!`, { name: { Ref: 'Other' } }] }, 'other!'],
    ['Join', { 'Fn::Join': ['/', ['a', { Ref: 'Other' }]] }, 'a/other'],
    [
      'Select of Split',
      { 'Fn::Select': [1, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Other', 'Arn'] }] }] },
      'thing',
    ],
    ['Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
    ['GetAZs', { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] }, 'us-east-1b'],
    ['Cidr', { 'Fn::Select': [1, { 'Fn::Cidr': ['10.0.0.0/16', 2, 12] }] }, '10.0.16.0/20'],
    ['NoValue in a list', ['a', { Ref: 'AWS::NoValue' }, 'b'], ['a', 'b']],
    ['NoValue as a property', { a: { Ref: 'AWS::NoValue' }, b: 1 }, { b: 1 }],
  ])('%s', (_, expression, expected) => {
    expect(evaluated(expression)).toEqual(expected);
  });

  test('If, Equals, And, Or, Not over conditions', () => {
    const Conditions = {
      Here: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      There: { 'Fn::Not': [{ Condition: 'Here' }] },
      Both: { 'Fn::And': [{ Condition: 'Here' }, { Condition: 'There' }] },
      Either: { 'Fn::Or': [{ Condition: 'Here' }, { Condition: 'There' }] },
    };
    const choose = (name: string) => evaluated({ 'Fn::If': [name, 'yes', 'no'] }, { Conditions });
    expect(['Here', 'There', 'Both', 'Either'].map(choose)).toEqual(['yes', 'no', 'no', 'yes']);
  });

  test('FindInMap', () => {
    const Mappings = { Sizes: { 'us-east-1': { small: 7 } } };
    expect(evaluated({ 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] }, { Mappings })).toBe(7);
  });

  test('a parameter gives its default', () => {
    const Parameters = { Size: { Type: 'String', Default: 'large' } };
    expect(evaluated({ Ref: 'Size' }, { Parameters })).toBe('large');
  });

  test("a policy statement's Condition is no reference", () => {
    const statement = { Condition: { StringEquals: { 'aws:SourceArn': { Ref: 'Other' } } } };
    expect(evaluated(statement)).toEqual({ Condition: { StringEquals: { 'aws:SourceArn': 'other' } } });
  });
});

test('stacks import from each other, in any order', () => {
  const resources = evaluate({
    stacks: {
      second: {
        Resources: {
          Uses: { Type: 'Test::Thing', Properties: { Name: { 'Fn::ImportValue': 'first-name' } } },
        },
      },
      first: {
        Resources: { Made: { Type: 'Test::Thing' } },
        Outputs: { Out: { Value: { Ref: 'Made' }, Export: { Name: 'first-name' } } },
      },
    },
  });
  expect(resources['second/Uses']?.physicalId).toBe('made');
});

test('a resource whose condition fails is not there', () => {
  const resources = evaluate({
    stacks: {
      main: {
        Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
        Resources: { Gone: { Type: 'Test::Thing', Condition: 'Never' }, Kept: { Type: 'Test::Thing' } },
      },
    },
  });
  expect(Object.keys(resources)).toEqual(['main/Kept']);
});

describe('what does not resolve stops the start and names the resource', () => {
  test.each<[string, unknown, RegExp]>([
    ['a reference to nothing', { Ref: 'Nothing' }, /main\/Own: the template declares no Nothing/],
    ['an unknown attribute', { 'Fn::GetAtt': ['Other', 'Colour'] }, /main\/Own: Fn::GetAtt Other.Colour/],
    [
      'an import nobody exports',
      { 'Fn::ImportValue': 'x' },
      /main\/Own: Fn::ImportValue: no stack exports x/,
    ],
    [
      'an unknown function',
      { 'Fn::Transform': {} },
      /main\/Own: the embedded cloud does not support the intrinsic function Fn::Transform/,
    ],
    [
      'a dynamic reference',
      '{{resolve:ssm:/x}}',
      /main\/Own: the embedded cloud does not support dynamic references/,
    ],
    ['a selection beyond the end', { 'Fn::Select': [2, ['a']] }, /main\/Own: Fn::Select: nothing at 2/],
    ['itself', { Ref: 'Own' }, /main\/Own: refers to itself/],
  ])('%s', (_, expression, message) => {
    expect(() => evaluated(expression)).toThrow(TemplateError);
    expect(() => evaluated(expression)).toThrow(message);
  });

  test('a parameter without default', () => {
    const Parameters = { Size: { Type: 'String' } };
    expect(() => evaluated({ Ref: 'Size' }, { Parameters })).toThrow(
      /main\/Own: parameter Size has no default/,
    );
  });

  test('a type that nobody serves', () => {
    const Resources = { Strange: { Type: 'AWS::Quantum::Computer' } };
    expect(() => evaluated('x', { Resources })).toThrow(/main\/Strange: .*AWS::Quantum::Computer/);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lintTemplates } from '../../scripts/cfn-lint.ts';
import { synthesize } from './synthesized.ts';
import { variants } from './variants.ts';

const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-2'];
/** What CDK writes into every template: dependencies that references imply, outputs that repeat imported values. */
const ignored = ['W3005', 'W6001'];
/** Preparing it the first time is a download. */
const timeout = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'slipway-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(variant: string, name: string, template: unknown): string {
  const path = join(folder, variant);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, `${name}.json`), JSON.stringify(template));
  return join(path, `${name}.json`);
}

test('cfn-lint finds nothing in the templates of any variant', { timeout }, async () => {
  // Most of a variant's templates are those of another.
  const files = new Map(
    Object.entries(variants).flatMap(([variant, stage]) =>
      synthesize(stage).templates.map(({ name, template }) => [
        JSON.stringify(template),
        written(variant, name, template),
      ]),
    ),
  );
  expect(files.size).toBeGreaterThan(Object.keys(variants).length);
  expect(await lintTemplates([...files.values()], regions, ignored)).toBe('');
});

test.each([
  ['an unknown property', { Type: 'AWS::SNS::Topic', Properties: { Colour: 'blue' } }, 'E3002'],
  [
    'an instance type that a region lacks',
    { Type: 'AWS::EC2::Instance', Properties: { ImageId: 'ami-12345678', InstanceType: 'g9.xlarge' } },
    'E3628',
  ],
  [
    'a time-out that a function may not have',
    {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { ZipFile: 'x' },
        Role: 'arn:aws:iam::111122223333:role/x',
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: 901,
      },
    },
    'E3717',
  ],
])('it would find %s', { timeout }, async (name, resource, rule) => {
  const file = written('faults', name, { Resources: { One: resource } });
  expect(await lintTemplates([file], regions, ignored)).toContain(rule);
});

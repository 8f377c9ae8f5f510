import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bundles, bundleAll, MissingEntryError } from '../../infra/bundles.ts';
import { functionDeclarations } from '../../infra/functions/index.ts';
import { parsePolicy } from '../../local/iam/policy.ts';
import { stageSchema } from '../../shared/model/stage.ts';
import { exampleStage, synthesize } from './synthesized.ts';

const run = promisify(execFile);
const stage = exampleStage();
const names = functionDeclarations.map(({ name }) => name);
let bundles: Bundles;
const codeOf = (name: string) => readFileSync(join(bundles.functionFolder(name), 'index.mjs'), 'utf8');

beforeAll(async () => {
  bundles = await bundleAll(stage);
});

test.each(names)('%s is one module with the stage configuration beside it', (name) => {
  const configuration = readFileSync(join(bundles.functionFolder(name), 'stage.json'), 'utf8');
  expect(stageSchema.parse(JSON.parse(configuration))).toEqual(stage);
  expect(codeOf(name)).toMatch(/export\s*\{[^}]*\bhandler\b/);
  // Lambda takes 250 MB, but every kilobyte is read at each cold start.
  expect(statSync(join(bundles.functionFolder(name), 'index.mjs')).size).toBeLessThan(2_000_000);
});

test('B1 the builder is one module that starts on its own', async () => {
  const builder = join(bundles.builderFolder, 'builder.mjs');
  const environment = { PATH: process.env.PATH, ARTIFACTS_BUCKET: 'b', AWS_REGION: 'us-east-1' };
  // Without its specification it can only say so, but saying so means that it was loaded.
  await expect(run(process.execPath, [builder, 'install'], { env: environment })).rejects.toThrow(
    /BUILDER_CACHE_MODE/,
  );
});

test('what only the OpenAPI document tells is in no function', () => {
  const document = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../functions/public/openapi.json'), 'utf8'),
  ) as { paths: Record<string, Record<string, { summary: string }>> };
  const summaries = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ summary }) => summary),
  );
  expect(summaries.length).toBeGreaterThan(40);
  for (const name of names) {
    const code = codeOf(name);
    expect(summaries.filter((summary) => code.includes(JSON.stringify(summary)))).toEqual([]);
  }
});

test('no source asks zod for a format by a method of strings, or for a codec, which bundles do not have', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = ['functions', 'shared', 'builder'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(root, folder, path)),
  );
  const formats =
    'email|url|jwt|emoji|guid|uuid\\w*|nanoid|cuid2?|ulid|base64(?:url)?|xid|ksuid|ipv\\d|cidrv\\d|e164';
  const codecs = '(?:(?:en|de|safeEn|safeDe)code|validate)(?:Async)?';
  const method = new RegExp(
    `(?<!\\bz\\s*|\\biso\\s*|\\bText(?:De|En)coder\\([^)]*\\))\\.(?:${formats}|datetime|date|time|duration|${codecs})\\(`,
  );
  expect('z.string().min(1)\n  .email()').toMatch(method);
  expect('schema.safeDecodeAsync(text)').toMatch(method);
  expect('z.email()').not.toMatch(method);
  const texts = sources.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  const found = texts.filter(({ text }) => text.includes("from 'zod'") && method.test(text));
  expect(found.map(({ path }) => path)).toEqual([]);
});

test('the same sources make the same bytes', async () => {
  const again = await bundleAll(stage);
  // Not by `toBe`, which would print both.
  for (const name of names)
    expect(readFileSync(join(again.functionFolder(name), 'index.mjs'), 'utf8') === codeOf(name), name).toBe(
      true,
    );
});

describe('faults in sources stop synth', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-sources-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  test('a declared function without an entry is named', async () => {
    write('builder/main.ts', '');
    for (const name of names.slice(1)) write(`functions/${name}/handler.ts`, 'export const handler = 1;');
    const bundling = bundleAll(stage, root);
    await expect(bundling).rejects.toThrow(MissingEntryError);
    await expect(bundling).rejects.toThrow(`Nothing to bundle at functions/${names[0]}/handler.ts.`);
  });

  test('an import that nothing exports is an error, not undefined at run time', async () => {
    write('shared.ts', 'export const there = 1;');
    for (const name of names)
      write(
        `functions/${name}/handler.ts`,
        "import { missing } from '../../shared.ts'; export const handler = missing;",
      );
    await expect(bundleAll(stage, root)).rejects.toThrow(/No matching export.*missing/);
    expect(existsSync(join(root, 'functions'))).toBe(true);
  });
});

describe('no function may do what its code never asks for', () => {
  const { ofType } = synthesize(stage);
  const roles = new Map(ofType('AWS::IAM::Role').map((one) => [one.attributes.Arn, one.properties.Policies]));
  const allowed = new Map(
    ofType('AWS::Lambda::Function').map((one) => [
      one.physicalId.replace('slipway-example-', ''),
      (roles.get(one.properties.Role) ?? []).flatMap((policy: { PolicyDocument: unknown }) =>
        parsePolicy(policy.PolicyDocument, one.physicalId).flatMap(({ actions }) => actions),
      ) as string[],
    ]),
  );

  test.each(names)('%s', (name) => {
    const code = codeOf(name);
    const unasked = (allowed.get(name) ?? []).filter(
      (action) =>
        !bySomethingElse.has(action) &&
        !operationsOf(action).some((operation) => code.includes(`"${operation}"`)),
    );
    expect(unasked).toEqual([]);
  });
});

/** Actions that no SDK operation of that name asks for. */
const bySomethingElse = new Set([
  // Lambda's own: log lines and given-up events.
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'sqs:SendMessage',
  // Checked beside another action.
  'iam:PassRole',
  's3:ListBucket',
  'batch:TagResource',
  'ecr:TagResource',
  'secretsmanager:TagResource',
  // ECR asks Inspector with its caller's rights where the account has enhanced scanning.
  'inspector2:ListCoverage',
  'inspector2:ListFindings',
  // By the registry protocol, with the token of GetAuthorizationToken.
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
]);

/** Operations on the wire that an action is for: S3 and transactions have other names than their actions. */
function operationsOf(action: string): string[] {
  const [service, operation = ''] = action.split(':');
  if (action === 's3:GetObject') return [operation, 'HeadObject'];
  const inTransactions = ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'];
  if (service === 'dynamodb' && inTransactions.includes(operation)) return [operation, 'TransactWriteItems'];
  return [operation];
}

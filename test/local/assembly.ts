/** Small assemblies as `cdk synth` would write them, from hand-written resources and function sources. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FixtureStack {
  Resources: Record<string, { Type: string; Properties?: object; Condition?: string }>;
  Outputs?: object;
  Parameters?: object;
  Mappings?: object;
  Conditions?: object;
}

export interface Fixture {
  stacks: Record<string, FixtureStack>;
  /** Source of `index.mjs` by asset name. */
  functions?: Record<string, string>;
}

const assetBucket = 'cdk-assets-000000000000-us-east-1';

/** `Code` of a function whose source the fixture gives. */
export const codeOf = (asset: string) => ({ S3Bucket: assetBucket, S3Key: `${asset}.zip` });

/** A folder for one test file, removed by `remove`. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes manifest, templates and assets; returns the folder. */
export function writeAssembly(folder: string, { stacks, functions = {} }: Fixture): string {
  const files: Record<string, object> = {};
  for (const [asset, source] of Object.entries(functions)) {
    mkdirSync(join(folder, `asset.${asset}`), { recursive: true });
    writeFileSync(join(folder, `asset.${asset}`, 'index.mjs'), source);
    files[asset] = {
      source: { path: `asset.${asset}`, packaging: 'zip' },
      destinations: { current: { bucketName: assetBucket, objectKey: `${asset}.zip` } },
    };
  }
  const artifacts: Record<string, object> = {
    assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
  };
  for (const [name, template] of Object.entries(stacks)) {
    artifacts[name] = { type: 'aws:cloudformation:stack', properties: { templateFile: `${name}.json` } };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(template));
  }
  writeFileSync(join(folder, 'assets.json'), JSON.stringify({ version: '1', files }));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts }));
  return folder;
}

/** A role for functions with the given statements, and what every function needs. */
export const functionRole = (...statements: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    },
    ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
    Policies: statements.length
      ? [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: statements } }]
      : [],
  },
});

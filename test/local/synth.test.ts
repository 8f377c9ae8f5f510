import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SynthError, synthesize } from '../../local/synth.ts';
import { readAssembly } from '../../local/template/assembly.ts';
import { temporaryFolder } from './assembly.ts';

const folder = temporaryFolder();
const home = join(folder.path, 'home');
const project = join(folder.path, 'project');
const app = join(project, 'infra', 'app.mjs');
const place = { accountId: '000000000000', region: 'us-east-1' };
let syntheses = 0;

const source = (stack: string) => `
  import { App, CfnResource, Stack } from 'aws-cdk-lib';
  if (process.env.SLIPWAY_STAGE === 'nowhere') throw new Error('there is no such stage');
  const app = new App();
  new CfnResource(new Stack(app, ${JSON.stringify(stack)}), 'Topic', { type: 'AWS::SNS::Topic' });
  app.synth();`;

beforeAll(() => {
  mkdirSync(home);
  mkdirSync(join(project, 'infra'), { recursive: true });
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  writeFileSync(join(project, 'cdk.json'), JSON.stringify({ app: `${process.execPath} infra/app.mjs` }));
  writeFileSync(app, source('first'));
});
afterAll(() => folder.remove());

const run = (stage: string) => {
  const onSynth = () => {
    syntheses += 1;
  };
  return synthesize({ stage, home, project, onSynth });
};
const stacks = () => readAssembly(join(home, 'cdk.out'), place).stacks.map(({ name }) => name);

test('synthesizes once while nothing changes', async () => {
  expect(await run('local')).toBe(join(home, 'cdk.out'));
  await run('local');
  expect(syntheses).toBe(1);
  expect(stacks()).toEqual(['first']);
});

test('a failure says what the app said, and leaves the last assembly as it was', async () => {
  const before = readFileSync(join(home, 'cdk.out', 'manifest.json'), 'utf8');
  const failing = run('nowhere');
  await expect(failing).rejects.toThrow(SynthError);
  await expect(failing).rejects.toThrow(/there is no such stage/);
  expect(readFileSync(join(home, 'cdk.out', 'manifest.json'), 'utf8')).toBe(before);
  await run('local');
  expect(syntheses).toBe(2);
});

test('changed sources are synthesized again, and nothing half-made stays', async () => {
  writeFileSync(app, source('second'));
  await run('local');
  expect(syntheses).toBe(3);
  expect(stacks()).toEqual(['second']);
  expect(readdirSync(home)).toEqual(['cdk.out']);
  expect(existsSync(join(home, 'cdk.out', 'slipway-sources.sha256'))).toBe(true);
});

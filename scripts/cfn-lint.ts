/**
 * cfn-lint, which checks CloudFormation templates against the schemas of each region: for the tests, from PyPI, into a
 * folder of `node_modules`. Versions and digests of all that it consists of are in `cfn-lint/requirements.txt`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, run, succeeds } from './command.ts';
import { hasApt, installPackages, isRoot } from './engine/install.ts';
import { repositoryRoot } from './local-cloud.ts';
import type { Detail } from './progress.ts';

const requirements = join(import.meta.dirname, 'cfn-lint/requirements.txt');
const cache = join(repositoryRoot, 'node_modules/.cache/slipway');

/** cfn-lint ends with a sum of 2 (errors), 4 (warnings) and 8 (information) where it has found something. */
const exitCodes = /: exit code (2|4|6|8|10|12|14)\b/;

/** Prepares cfn-lint where that hasn't been done yet, and returns its folder. Throws when it can't be had. */
export async function prepareCfnLint(detail: Detail): Promise<string> {
  // Some of its packages are compiled for one version of Python.
  const python = await run('python3', ['-c', 'import sys; print(sys.version)']);
  const version = createHash('sha256').update(readFileSync(requirements)).update(python).digest('hex');
  const folder = join(cache, `cfn-lint-${version.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  await ensurePip(detail);
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    detail('from PyPI');
    await run('python3', [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'],
      // Wheels only: an archive of sources would run a script of its own.
      ...[
        '--only-binary',
        ':all:',
        '--require-hashes',
        '--requirement',
        requirements,
        '--target',
        unfinished,
      ],
    ]);
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test was quicker.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Debian's Python comes without pip. */
async function ensurePip(detail: Detail): Promise<void> {
  if (await succeeds('python3', ['-m', 'pip', '--version'])) return;
  if (!isRoot() || !hasApt())
    throw new Error('python3 has no pip; install it (Debian, Ubuntu: python3-pip).');
  await installPackages(['python3-pip'], [], detail);
}

/** Checks templates for the regions; `ignored` are ids of rules. Returns what it says: nothing where all is well. */
export async function lintTemplates(files: string[], regions: string[], ignored: string[]): Promise<string> {
  const folder = await prepareCfnLint(() => {});
  const options = ['--regions', ...regions, '--ignore-checks', ...ignored, '--format', 'parseable'];
  try {
    return await run('python3', [join(folder, 'bin/cfn-lint'), ...options, '--', ...files], {
      env: { PYTHONPATH: folder },
    });
  } catch (error) {
    if (!(error instanceof CommandError) || !exitCodes.test(error.message)) throw error;
    return error.output;
  }
}

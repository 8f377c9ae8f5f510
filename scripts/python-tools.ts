/**
 * Programs in Python that tests use: from PyPI, into a folder of `node_modules`. Versions and digests of all that they
 * consist of are in `python-tools/<name>.txt`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandOptions, run, succeeds } from './command.ts';
import { hasApt, installPackages, isRoot } from './engine/install.ts';
import { repositoryRoot } from './local-cloud.ts';
import type { Detail } from './progress.ts';

/** What each set of programs is for. */
export const pythonTools = {
  'cfn-lint': 'checks CloudFormation templates against the schemas of each region',
  clients: 'the AWS CLI, boto3, and generators of clients from an OpenAPI document',
};
export type PythonTools = keyof typeof pythonTools;

const cache = join(repositoryRoot, 'node_modules/.cache/slipway');

/** Prepares the programs where that hasn't been done yet, and returns their folder. Throws when they can't be had. */
export async function preparePythonTools(name: PythonTools, detail: Detail): Promise<string> {
  const requirements = join(import.meta.dirname, `python-tools/${name}.txt`);
  // Some packages are compiled for one version of Python.
  const python = await run('python3', ['-c', 'import sys; print(sys.version)']);
  const version = createHash('sha256').update(readFileSync(requirements)).update(python).digest('hex');
  const folder = join(cache, `${name}-${version.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  await ensurePip(detail);
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    detail('from PyPI');
    await run('python3', [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'],
      // Wheels only: an archive of sources would run a script of its own.
      ...['--only-binary', ':all:', '--require-hashes', '--requirement', requirements],
      ...['--target', unfinished],
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

/** Runs one of the programs, or with `python3` a script that may import their packages; its standard output. */
export async function runPythonTool(
  name: PythonTools,
  program: string,
  args: string[],
  options: CommandOptions = {},
): Promise<string> {
  const folder = await preparePythonTools(name, () => {});
  const script = program === 'python3' ? [] : [join(folder, 'bin', program)];
  const env = { PYTHONPATH: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  return run('python3', [...script, ...args], { ...options, env: { ...env, ...options.env } });
}

/**
 * `npm test`: the checks, then every test, the end-to-end ones on the real container engine included. Arguments go to
 * vitest: `npm test -- test/shared`. Without an engine the tests that need one fail; none is skipped.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { check } from './check.ts';
import { commandsOnPath } from './engine/find.ts';
import { hasApt, installPackages, isRoot } from './engine/install.ts';
import { type Engine, EngineUnavailableError, ensureEngine } from './engine.ts';
import { repositoryRoot, stateDirectory } from './local-cloud.ts';
import { heading, say, task } from './progress.ts';
import { type PythonTools, preparePythonTools, pythonTools } from './python-tools.ts';

async function engineForTests(): Promise<Engine | undefined> {
  heading('Set-up');
  try {
    return await ensureEngine({ yes: process.argv.includes('--yes'), home: stateDirectory() });
  } catch (error) {
    if (!(error instanceof EngineUnavailableError)) throw error;
    say(`  ${error.message}`);
    say('  The tests that need an engine will fail.');
    return undefined;
  }
}

/** Programs that tests use and a bare machine lacks, with the Debian package of each. */
const tools: Record<string, string> = {
  curl: 'curl',
  'docker-registry': 'docker-registry',
  ps: 'procps',
  python3: 'python3',
};

/** Fetched now, where their progress is seen, rather than by the tests that use them. */
async function ensurePythonTools(): Promise<void> {
  for (const name of Object.keys(pythonTools) as PythonTools[])
    try {
      await task(
        name,
        (detail) => preparePythonTools(name, detail),
        () => 'ready',
      );
    } catch (error) {
      say(
        `  ${name} (${pythonTools[name]}): not available (${error instanceof Error ? error.message : error}).`,
      );
      say('  The tests that use it will fail.');
    }
}

async function ensureTools(): Promise<void> {
  const missing = Object.keys(tools).filter((name) => commandsOnPath(name).length === 0);
  if (missing.length === 0) return;
  const packages = missing.map((name) => tools[name] ?? name);
  try {
    if (!isRoot() || !hasApt()) throw new Error('that needs root on Debian or Ubuntu');
    await task(
      'test tools',
      (detail) => installPackages(packages, [], detail),
      () => packages.join(', '),
    );
  } catch (error) {
    say(`  Not installed: ${packages.join(', ')} (${error instanceof Error ? error.message : error}).`);
    say('  The tests that use them will fail.');
  }
}

function vitest(args: string[]): Promise<number> {
  const entry = join(repositoryRoot, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [entry, 'run', ...args], { cwd: repositoryRoot, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

// Ctrl-C reaches vitest as well, which ends its tests in order; we wait for it and begin nothing more.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});

const args = process.argv.slice(2).filter((one) => one !== '--yes');
const engine = await engineForTests();
try {
  await ensureTools();
  await ensurePythonTools();
  const checked = args.length > 0 || (await check());
  heading('Tests');
  const code = interrupted ? 130 : await vitest(args);
  process.exitCode = checked && engine ? code : code || 1;
} finally {
  if (engine?.startedPid !== undefined) {
    process.kill(engine.startedPid, 'SIGTERM');
    say(`Ended the container engine that was started for the tests (process ${engine.startedPid}).`);
  }
}

/** `npm run check`: format and lint, types, unused code, generated files. Fast; needs no container engine. */
import { join } from 'node:path';
import { CommandError, run } from './command.ts';
import { repositoryRoot } from './local-cloud.ts';
import { heading, say, task } from './progress.ts';

interface Check {
  title: string;
  command: string;
  args: string[];
  /** What mends it. */
  remedy: string;
}

const tool = (name: string): string => join(repositoryRoot, 'node_modules/.bin', name);

const checks: Check[] = [
  {
    title: 'format, lint',
    command: tool('biome'),
    args: ['check', '--error-on-warnings', '.'],
    remedy: 'npx biome check --write',
  },
  { title: 'types', command: tool('tsc'), args: ['-p', '.'], remedy: 'see the lines above' },
  { title: 'unused code', command: tool('knip'), args: ['--no-progress'], remedy: 'remove it or use it' },
  {
    title: 'generated',
    command: process.execPath,
    args: ['scripts/openapi.ts', '--check'],
    remedy: 'node scripts/openapi.ts',
  },
];

/** Runs every check, prints what each one found, and returns whether all of them passed. */
export async function check(): Promise<boolean> {
  heading('Checks');
  let passed = true;
  for (const one of checks) {
    try {
      await task(
        one.title,
        () => run(one.command, one.args, { cwd: repositoryRoot }),
        () => 'ok',
      );
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      passed = false;
      say(error.output.trim());
      say(`  ${one.title}: failed (${one.remedy})`);
    }
  }
  return passed;
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1;

/** What a registry that means harm costs its client: a process of its own against a hostile server. */
import { join } from 'node:path';
import { run } from '../../scripts/command.ts';
import { attacks, startHostileRegistry } from './hostile.ts';

export interface Attacked {
  name: string;
  /** Of the `RegistryError`; `none` where nothing was refused. */
  code: string;
  seconds: number;
  /** Peak of the process's resident memory above what it holds when idle. */
  aboveIdleBytes: number;
}

export const memoryGoalBytes = 64 * 1024 * 1024;

export async function underAttack(): Promise<Attacked[]> {
  const hostile = await startHostileRegistry();
  try {
    const output = await run(process.execPath, [
      '--expose-gc',
      join(import.meta.dirname, 'attacked.ts'),
      hostile.host,
      JSON.stringify(Object.keys(attacks)),
    ]);
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Attacked);
  } finally {
    await hostile.stop();
  }
}

/** What a registry that means harm costs its client: processes of their own against a hostile server. */
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
/** How often one process stands all of them. */
export const rounds = 4;

/** Each attack on a process of its own; then all of them, several times over, on one, in the order they came. */
export async function underAttack(): Promise<{ alone: Attacked[]; together: Attacked[] }> {
  const hostile = await startHostileRegistry();
  const names = Object.keys(attacks);
  const attack = async (indexes: number[]): Promise<Attacked[]> => {
    const output = await run(process.execPath, [
      '--expose-gc',
      join(import.meta.dirname, 'attacked.ts'),
      hostile.host,
      JSON.stringify(indexes.map((index) => `attack-${index}`)),
    ]);
    const lines = output.trim().split('\n');
    return lines.map((line, at) => ({ name: names[indexes[at] ?? -1] ?? '', ...JSON.parse(line) }));
  };
  try {
    const alone: Attacked[] = [];
    for (const index of names.keys()) alone.push(...(await attack([index])));
    const together = await attack(Array.from({ length: rounds }, () => [...names.keys()]).flat());
    return { alone, together };
  } finally {
    await hostile.stop();
  }
}

/** Ending a build's processes, wherever they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';

/** False where the group has no process any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Kills every process whose environment has this variable, wherever it hid from its group. Only Linux shows other
 * processes' environments; elsewhere the group is all there is.
 */
export function killByEnvironment(name: string, value: string): number {
  if (platform() !== 'linux') return 0;
  const wanted = `${name}=${value}`;
  const pids = readdirSync('/proc').filter(
    (entry) => /^\d+$/.test(entry) && environmentOf(entry).includes(wanted),
  );
  for (const pid of pids.map(Number)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It ended by itself in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return pids.length;
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // Another user's process, or one that has just ended: not one of ours.
    return [];
  }
}

/** How much processor time an embedded cloud has used for requests: its own process, functions and DynamoDB's engine. */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessorTime {
  functionsMs: number;
  /** Gateway, endpoint and table. */
  cloudMs: number;
}

/** What Linux counts in: hundredths of a second. */
const tickMs = 10;

/** Of the processes that are there now; builds and their programs don't count. */
export async function processorTime(pid: number, home: string): Promise<ProcessorTime> {
  const used: ProcessorTime = { functionsMs: 0, cloudMs: 0 };
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8');
      const isFunction = command.includes('bootstrap.mjs') && command.includes(home);
      const isCloud = Number(name) === pid || (command.includes('dynoxide') && command.includes(home));
      if (!isFunction && !isCloud) continue;
      const stat = await readFile(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ms = (Number(fields[11]) + Number(fields[12])) * tickMs;
      if (isFunction) used.functionsMs += ms;
      else used.cloudMs += ms;
    } catch {
      // It has ended in between.
    }
  }
  return used;
}

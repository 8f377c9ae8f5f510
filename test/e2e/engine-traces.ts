/** What work leaves in the machine, as long as it is not really over. */
import { readdir, readFile } from 'node:fs/promises';
import { run } from '../../scripts/command.ts';

/** Processes of this machine whose command line mentions `text`: what a container left behind would look like. */
export async function processesWith(text: string): Promise<string[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    names.map((name) => readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}

/** Containers of a Batch job, running or not. */
export async function containersOf(jobId: string): Promise<string[]> {
  const listed = await run('docker', ['ps', '-aq', '--filter', `label=slipway.batch.job=${jobId}`]);
  return listed.split('\n').filter(Boolean);
}

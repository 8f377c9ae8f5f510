/**
 * A process that asks a hostile registry (`argv[2]`) for the image of each attack (`argv[3]`, JSON: its repositories), one
 * after the other, and prints one JSON line for each: the error's code, how long it took, and how far the process's memory
 * has risen above idle so far, as the kernel saw it. What one leaves to the collector is collected before the next.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { inspectImage } from '../../shared/registry/inspect.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { createNetwork } from '../../shared/registry/network.ts';

const [, , host = '', repositories = '[]'] = process.argv;
const network = createNetwork({ privateHosts: [host], timeoutMs: 2000 });

async function kilobytes(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}

async function attacked(repository: string): Promise<string> {
  try {
    const client = createRegistryClient({ host, network, insecure: true });
    await inspectImage(client, repository, 'latest');
    return 'none';
  } catch (error) {
    return error instanceof RegistryError ? error.code : String(error);
  }
}

// Everything that is loaded on first use is loaded.
await attacked('nothing-there');
globalThis.gc?.();
await sleep(200);
const idle = await kilobytes('VmRSS');
// 5 sets the kernel's peak back to what is held now.
await writeFile('/proc/self/clear_refs', '5');
for (const repository of JSON.parse(repositories) as string[]) {
  globalThis.gc?.();
  const started = performance.now();
  const code = await attacked(repository);
  const seconds = (performance.now() - started) / 1000;
  const aboveIdleBytes = ((await kilobytes('VmHWM')) - idle) * 1024;
  console.log(JSON.stringify({ code, seconds, aboveIdleBytes }));
}
network.close();

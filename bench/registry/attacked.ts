/**
 * A process that asks a hostile registry (`argv[2]`) for the image of every attack (names in `argv[3]`, JSON) and prints
 * one JSON line for each: the error's code, how long it took, and how far its memory rose above idle, as the kernel saw it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { inspectImage } from '../../shared/registry/inspect.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { createNetwork } from '../../shared/registry/network.ts';

const [, , host = '', namesText = '[]'] = process.argv;
const names: string[] = JSON.parse(namesText);
const network = createNetwork({ privateHosts: [host], timeoutMs: 2000 });

async function kilobytes(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}

async function attacked(index: number): Promise<string> {
  try {
    const client = createRegistryClient({ host, network, insecure: true });
    await inspectImage(client, `attack-${index}`, 'latest');
    return 'none';
  } catch (error) {
    return error instanceof RegistryError ? error.code : String(error);
  }
}

// Everything that is loaded on first use is loaded: the last of the names is an attack like the others.
await attacked(names.length);
globalThis.gc?.();
await sleep(200);
const idle = await kilobytes('VmRSS');
for (const [index, name] of names.entries()) {
  // What the attack before left behind is not this one's.
  globalThis.gc?.();
  // 5 sets the kernel's peak back to what is held now.
  await writeFile('/proc/self/clear_refs', '5');
  const started = performance.now();
  const code = await attacked(index);
  const seconds = (performance.now() - started) / 1000;
  const aboveIdleBytes = ((await kilobytes('VmHWM')) - idle) * 1024;
  console.log(JSON.stringify({ name, code, seconds, aboveIdleBytes }));
}
network.close();

/** What this machine has for jobs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from './placement.ts';

/** Asks the engine; GPUs count only where it can hand them to containers (NVIDIA's runtime). */
export async function readMachine(engine: Engine): Promise<Machine> {
  const info = await engine.info();
  return {
    vcpus: info.NCPU,
    memoryMiB: Math.floor(info.MemTotal / 1024 / 1024),
    gpuIds: info.Runtimes?.nvidia === undefined ? [] : await nvidiaGpus(),
  };
}

async function nvidiaGpus(): Promise<number[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', [
      '--query-gpu=index',
      '--format=csv,noheader',
    ]);
    return stdout.trim().split('\n').map(Number);
  } catch {
    // The runtime is installed, but there is no GPU or no driver.
    return [];
  }
}

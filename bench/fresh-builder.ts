/** An embedded cloud whose builds run on an engine of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../scripts/engine.ts';
import { ensureLocalCloud, type RunningCloud } from '../scripts/local-cloud.ts';
import { type FreshEngine, startFreshEngine } from './engine.ts';

export interface FreshBuilder extends RunningCloud {
  engine: FreshEngine;
  end(): Promise<void>;
}

/** `port` is the first of three that are free. */
export async function startFreshBuilder(engine: Engine, port: number): Promise<FreshBuilder> {
  const fresh = await startFreshEngine(engine);
  const home = await mkdtemp(join(tmpdir(), 'slipway-fresh-'));
  const before = { DOCKER_HOST: process.env.DOCKER_HOST, SLIPWAY_PORT: process.env.SLIPWAY_PORT };
  Object.assign(process.env, { DOCKER_HOST: fresh.host, SLIPWAY_PORT: String(port) });
  try {
    const running = await ensureLocalCloud(home, () => {});
    return {
      ...running,
      engine: fresh,
      async end() {
        await running.stop();
        await fresh.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await fresh.stop();
    await rm(home, { recursive: true, force: true });
    throw error;
  } finally {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}

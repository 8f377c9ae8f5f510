/** One container engine and one embedded cloud for all end-to-end tests; ends what it started. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureTinyBase } from '../../scripts/base-image.ts';
import { ensureEngine } from '../../scripts/engine.ts';
import { ensureLocalCloud, type LocalCloud } from '../../scripts/local-cloud.ts';
import { freePorts } from '../../scripts/ports.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cloud: LocalCloud;
    home: string;
    /** Folder of the advisories that scans compare with. */
    advisories: string;
    /** Reference of a 2 MB base image with a shell, pushed into acme's space. */
    tinyBase: string;
  }
}

export default async function setup({ provide }: TestProject) {
  const engine = await ensureEngine({ yes: true });
  const home = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  process.env.SLIPWAY_PORT = String(await freePorts());
  const advisories = join(home, 'advisories');
  await mkdir(advisories);
  process.env.SLIPWAY_ADVISORIES = advisories;
  const running = await ensureLocalCloud(home, () => {});
  const base = await ensureTinyBase(engine, running.cloud, 'acme');
  provide('cloud', running.cloud);
  provide('home', home);
  provide('advisories', advisories);
  provide('tinyBase', base.reference);
  return async () => {
    await running.stop();
    await rm(home, { recursive: true, force: true });
  };
}

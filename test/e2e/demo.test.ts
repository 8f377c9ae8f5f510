/** `npm run demo` is the first thing anybody sees: it runs here as they run it, in a state directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { freePorts } from '../../scripts/ports.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

it.each(['at first', 'in a state directory that it knows'])(
  'the demo does what it says, and ends with code 0: %s',
  async () => {
    const output = await run('npm', ['run', 'demo'], {
      env: { SLIPWAY_HOME: home, SLIPWAY_PORT: String(await freePorts()) },
      timeoutSeconds: 600,
    });
    expect(output).toMatch(/accuracy of the trained model: 0\.9\d/);
    expect(output).toMatch(/image\s+127\.0\.0\.1:\d+\/acme\//);
    expect(output).toContain('failing step');
  },
  600_000,
);

/** The README's first session and the guide to experiments that goes on with it, typed as a person would, line by line from the files themselves. */
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ensurePythonBase } from '../../scripts/base-image.ts';
import { run } from '../../scripts/command.ts';
import { ensureEngine } from '../../scripts/engine.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-readme-'));
  await symlink(inject('home'), join(folder, '.slipway'));
  await symlink(resolve('examples'), join(folder, 'examples'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const commandsOf = (text: string) =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, typed]) => typed ?? '');

it('the first session of the README and the guide to experiments do what they say', async () => {
  const readme = await readFile('README.md', 'utf8');
  const session = readme.slice(readme.indexOf('## A first session')).split('\n## ')[0] ?? '';
  const guide = commandsOf(await readFile('docs/experiments.md', 'utf8'));
  expect(guide.length).toBeGreaterThan(4);
  const commands = [...commandsOf(session), ...guide];
  expect(commands.length).toBeGreaterThan(guide.length + 4);
  const base = await ensurePythonBase(await ensureEngine(), inject('cloud'), 'acme', () => {});
  const typed = commands.join('\n').replaceAll('/tmp/', `${folder}/`);
  const output = await run('bash', ['-euo', 'pipefail', '-c', typed], {
    cwd: folder,
    env: { BASE: base.reference },
    timeoutSeconds: 540,
  });
  expect(output).toMatch(/^public +docker\.io$/m);
  expect(output).toContain('[2/2] RUN python');
  expect(output).toMatch(/^succeeded\nsha256:[0-9a-f]{64}$/m);
  expect(output).toContain('hello from an experiment');
  expect(output).toMatch(/^accuracy=0\.9\d+$/m);
  expect(output).toMatch(/^iris:v1 sha256:[0-9a-f]{64}$/m);
  expect(output).toMatch(/^cpu-small .* queues cpu$/m);
  expect(output).toContain('Your organisation has no image hello:v9');
  expect(output).toMatch(/^attempt 1\s+attempt 2$/m);
  expect(output).toMatch(/^stopped Stopped /m);
}, 600_000);

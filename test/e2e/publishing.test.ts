/** An image of the engine is put into an organisation's space; its tag there is cleared up behind it. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { isPublished, publish } from '../../scripts/base-image/publish.ts';
import { tinyImage } from '../../scripts/base-image/tiny.ts';
import { type Engine, ensureEngine } from '../../scripts/engine.ts';
import { unique } from './client.ts';

const cloud = inject('cloud');
let engine: Engine;
let image: string;
let folder: string;

beforeAll(async () => {
  engine = await ensureEngine({ yes: true });
  image = await tinyImage(engine, () => undefined);
  folder = await mkdtemp(join(tmpdir(), 'slipway-client-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The engine's client, with `onRemoval` run whenever it is to remove a tag. */
async function clientWith(name: string, onRemoval: string): Promise<Engine> {
  const cli = join(folder, name);
  await writeFile(cli, `#!/bin/sh\nif [ "$1" = rmi ]; then ${onRemoval}; fi\nexec ${engine.cli} "$@"\n`);
  await chmod(cli, 0o755);
  return { ...engine, cli };
}

it('is published where another run has removed the tag first', async () => {
  const target = { cloud, repository: `acme/${unique('gone')}`, tag: '1' };
  const raced = await clientWith('raced', `${engine.cli} "$@" > /dev/null`);
  const reference = await publish(raced, image, target, () => undefined);
  expect(reference).toContain(target.repository);
  expect(await isPublished(target)).toBe(true);
});

it('reports every other failure to remove the tag', async () => {
  const target = { cloud, repository: `acme/${unique('kept')}`, tag: '1' };
  const refusing = await clientWith('refusing', 'echo "conflict: the image is in use" >&2; exit 1');
  await expect(publish(refusing, image, target, () => undefined)).rejects.toThrow(/conflict/);
});

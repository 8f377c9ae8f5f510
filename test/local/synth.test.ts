import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SynthError, synthesize } from '../../local/synth.ts';
import { readAssembly } from '../../local/template/assembly.ts';
import { temporaryFolder } from './assembly.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('the stacks are synthesized once, and again only when the stage or the sources change', async () => {
  let syntheses = 0;
  const options = { home: folder.path, onSynth: () => void (syntheses += 1) };
  const assembly = await synthesize({ ...options, stage: 'local' });
  const place = { accountId: '000000000000', region: 'us-east-1' };
  expect(readAssembly(assembly, place).stacks.map(({ name }) => name)).toContain('slipway-local-api');
  const manifest = readFileSync(join(assembly, 'manifest.json'), 'utf8');
  await synthesize({ ...options, stage: 'local' });
  expect(syntheses).toBe(1);

  const refused = synthesize({ ...options, stage: 'nowhere' });
  await expect(refused).rejects.toThrow(SynthError);
  await expect(refused).rejects.toThrow(/nowhere/);
  expect(syntheses).toBe(2);
  // What was there before is still there.
  expect(readFileSync(join(assembly, 'manifest.json'), 'utf8')).toBe(manifest);
  await synthesize({ ...options, stage: 'local' });
  expect(syntheses).toBe(2);
  expect(existsSync(join(folder.path, 'cdk.out'))).toBe(true);
});

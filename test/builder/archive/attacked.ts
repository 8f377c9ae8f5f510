/** Where archives of all kinds are unpacked. Nothing is ever written outside of the folder. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { unpack } from '../../../builder/archive/unpack.ts';

/** For the tests of one file: a folder for each, and beside it a file that stays as it is. */
export function attackedFolder() {
  let folder: string;
  let target: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-attack-'));
    target = join(folder, 'target');
    mkdirSync(target);
    writeFileSync(join(folder, 'kept'), 'as it was');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return {
    target: () => target,
    async unpacked(bytes: Buffer): Promise<void> {
      const archive = join(folder, 'archive');
      writeFileSync(archive, bytes);
      try {
        await unpack(archive, target);
      } finally {
        rmSync(archive);
      }
    },
    clear(): void {
      rmSync(target, { recursive: true });
      mkdirSync(target);
    },
    expectNothingOutside(): void {
      expect(readdirSync(folder).sort()).toEqual(['kept', 'target']);
      expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('as it was');
      expect(lstatSync(join(folder, 'kept')).nlink).toBe(1);
    },
  };
}

/** These bytes with another one at `at`, which counts from the end where it is negative. */
export function withByte(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  const place = (at + changed.length) % changed.length;
  changed[place] = (changed[place] ?? 0) ^ 0x55;
  return changed;
}

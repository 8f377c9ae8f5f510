import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStage } from '../../../shared/environment/stage.ts';
import { readVariables } from '../../../shared/environment/variables.ts';

test('a function reads what it asked for, and hears of everything that is missing or wrong at once', () => {
  const names = { TABLE_NAME: true, AUTH_ISSUER: true, USER_POOL_ID: true } as const;
  const good = { TABLE_NAME: 't', AUTH_ISSUER: 'https://issuer.example', OTHER: 'x' };
  expect(readVariables(names, good)).toEqual({ TABLE_NAME: 't', AUTH_ISSUER: 'https://issuer.example' });
  expect(() => readVariables(names, { TABLE_NAME: '', AUTH_ISSUER: 'nowhere' })).toThrow(
    /TABLE_NAME.*AUTH_ISSUER/,
  );
});

test('the stage lies beside the bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-stage-'));
  try {
    expect(() => readStage(folder)).toThrow('stage.json');
    writeFileSync(join(folder, 'stage.json'), '{"stage":"x"}');
    expect(readStage(folder)).toEqual({ stage: 'x' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

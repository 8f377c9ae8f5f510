/**
 * Writes `functions/public/openapi.json` from the operations that every `contract.ts` below `functions/` declares.
 * `--check` writes nothing and fails when the file on disk is out of date.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Operation } from '../shared/http/operation.ts';
import { type DeclaredOperation, openApiDocument } from './openapi/document.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'functions/public/openapi.json');

async function declaredOperations(): Promise<DeclaredOperation[]> {
  const declared: DeclaredOperation[] = [];
  for (const folder of (await readdir(join(root, 'functions'))).sort()) {
    const entries: string[] = await readdir(join(root, 'functions', folder)).catch(() => []);
    if (!entries.includes('contract.ts')) continue;
    const exported: Record<string, unknown> = await import(join(root, 'functions', folder, 'contract.ts'));
    for (const value of Object.values(exported))
      if (isOperation(value)) declared.push({ folder, operation: value });
  }
  return declared;
}

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' &&
  value !== null &&
  'method' in value &&
  'path' in value &&
  'documentation' in value;

const text = `${JSON.stringify(openApiDocument(await declaredOperations()), null, 2)}\n`;
const onDisk = await readFile(target, 'utf8').catch(() => '');
if (process.argv.includes('--check')) {
  if (onDisk !== text) {
    console.error('functions/public/openapi.json is out of date. Run `npm run openapi`.');
    process.exitCode = 1;
  }
} else if (onDisk !== text) {
  await writeFile(target, text);
}

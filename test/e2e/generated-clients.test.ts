/** Clients that generators make from the OpenAPI document: generated without a warning, then used. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { preparePythonTools, runPythonTool } from '../../scripts/python-tools.ts';
import { unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const root = join(import.meta.dirname, '../..');
const generators = join(root, 'test/generators');
const document = join(root, 'functions/public/openapi.json');
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-clients-'));
  await writeFile(join(folder, 'logo.png'), png);
  // The first time it is a download.
  await preparePythonTools('clients', () => {});
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const session = (name: string) => join(generators, 'sessions', name);
const environment = () => ({
  SLIPWAY_API: cloud.apiUrl,
  SLIPWAY_TOKEN: cloud.token,
  PICTURE: join(folder, 'logo.png'),
});
const python = async (name: string, packages: string) =>
  runPythonTool('clients', 'python3', [session(name), tinyBase, unique('generated')], {
    env: { ...environment(), PYTHONPATH: `${packages}:${await preparePythonTools('clients', () => {})}` },
  });

it('openapi-python-client', async () => {
  const generated = join(folder, 'python-client/slipway_client');
  const options = ['--meta', 'none', '--output-path', generated, '--fail-on-warning'];
  await run('mkdir', ['-p', join(folder, 'python-client')]);
  await runPythonTool('clients', 'openapi-python-client', ['generate', '--path', document, ...options]);
  await python('openapi-python-client.py', join(folder, 'python-client'));
});

it('openapi-generator', async () => {
  const generated = join(folder, 'generator');
  const lines: string[] = [];
  await runPythonTool(
    'clients',
    'openapi-generator-cli',
    ['generate', '--input-spec', document, '--generator-name', 'python', '--output', generated],
    { onLine: (line) => lines.push(line) },
  );
  const own = [
    'OpenAPI 3.1 support is still in beta',
    // It says so of any document that has an object.
    'Failed to get the schema name: null',
    // The first line of an experiment's log that is read.
    'From (reserved word) cannot be used as model name',
  ];
  const warnings = lines.filter((line) => /WARN|ERROR/.test(line));
  expect(warnings.filter((line) => !own.some((text) => line.includes(text)))).toEqual([]);
  await python('openapi-generator.py', generated);
});

it('openapi-typescript', async () => {
  const generated = join(folder, 'generated.ts');
  const bin = join(generators, 'node_modules/.bin');
  const said = await run(join(bin, 'openapi-typescript'), [document, '--output', generated]);
  expect(said).not.toMatch(/warn|⚠/i);
  const script = join(folder, 'session.ts');
  await copyFile(session('openapi-typescript.ts'), script);
  const options = ['--module', 'nodenext', '--target', 'esnext', '--allowImportingTsExtensions'];
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await run(join(bin, 'tsc'), ['--noEmit', '--strict', ...options, ...types, script], { cwd: folder });
  await run(process.execPath, [script, tinyBase, unique('generated')], { env: environment() });
});

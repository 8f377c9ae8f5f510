/** The bootstrap in the shells that images really have. */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrapped } from '../../job/bootstrap.ts';

const run = promisify(execFile);
const shells: [name: string, program: string[]][] = [
  ['dash', ['dash']],
  ['busybox ash', ['busybox', 'sh']],
  ['bash as sh', ['bash', '--posix']],
];

describe.each(shells)('E2 the bootstrap in %s', (_name, [program = '', ...first]) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bootstrap-'));
  const notExecutable = join(folder, 'data.txt');

  beforeAll(() => {
    writeFileSync(notExecutable, 'text');
    chmodSync(notExecutable, 0o644);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The image's /bin/sh is the shell under test. */
  const start = (command: string[]) =>
    spawn(program, [...first, ...bootstrapped(command).slice(1)], { cwd: folder });
  const ends = (command: string[]) =>
    new Promise<{ code: number | null; signal: string | null; output: string }>((resolve) => {
      const child = start(command);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
      child.on('close', (code, signal) => resolve({ code, signal, output }));
    });

  it('passes arguments as they are', async () => {
    const odd = ['a b', '', '*', '$HOME', '`id`', '"; exit 9', "'", '\n', 'ü', '--', '\\'];
    const { stdout } = await run(program, [...first, ...bootstrapped(['printf', '<%s>', ...odd]).slice(1)]);
    expect(stdout).toBe(odd.map((one) => `<${one}>`).join(''));
  });

  it("stays in the image's working directory and says which it is", async () => {
    const { output } = await ends(['sh', '-c', 'pwd; echo "$SLIPWAY_WORKDIR"']);
    expect(output).toBe(`${folder}\n${folder}\n`);
  });

  it.each([
    [0, ['true']],
    [3, ['sh', '-c', 'exit 3']],
    [127, ['no-such-program']],
    [127, ['/no/such/program', 'x']],
    [126, [notExecutable]],
  ])('ends with exit code %i', async (expected, command) => {
    const { code, output } = await ends(command);
    expect(code).toBe(expected);
    if (expected >= 126) expect(output).toMatch(/slipway: .*(not found|denied|such file)/i);
  });

  it('becomes the command, so that signals reach it', async () => {
    const child = start(['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done']);
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(7);
  });
});

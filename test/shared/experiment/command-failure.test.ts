import { describe, expect, it } from 'vitest';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';
import { failureOf } from '../../../shared/experiment/verdict.ts';
import { job } from './records.ts';

type Launched = Pick<ExperimentRecord, 'command' | 'entrypoint' | 'entrypointReplaced'>;

const reason = (exitCode: number, lines: string[], launched: Partial<Launched> = {}) =>
  failureOf(
    job({
      status: 'FAILED',
      statusReason: 'Essential container in task exited',
      startedAt: 1,
      exitCode,
      lastLines: lines,
    }),
    {},
    { command: ['./run.sh'], entrypoint: 'replace', ...launched },
  );
/** Each shell's own words for a program that is missing. */
const missing = (program: string) => [
  [`slipway: 5: exec: ${program}: not found`],
  [`slipway: line 5: exec: ${program}: not found`],
  [`slipway: exec: line 4: ${program}: not found`],
];

describe('E2 a command that can not be found', () => {
  it.each<[string[], string]>([
    [['trian'], 'The image has no program `trian` on its PATH.'],
    [
      ['python train.py'],
      'The image has no program `python train.py`. The command has the whole command line as one word: write `["python", "train.py"]`, or `["sh", "-c", "python train.py"]`.',
    ],
    [
      ['source', 'env.sh'],
      '`source` is a bash builtin, which is neither a program nor known to sh. Write `["bash", "-c", "source …"]`, or use `.` instead of `source`.',
    ],
    [
      ['cd /app && python "my train.py"'],
      'The image has no program `cd /app && python "my train.py"`. The command has the whole command line as one word: write `["sh", "-c", "cd /app && python \\"my train.py\\""]`.',
    ],
    [
      ['SEED=1 python x.py'],
      'The image has no program `SEED=1 python x.py`. The command has the whole command line as one word: write `["sh", "-c", "SEED=1 python x.py"]`.',
    ],
    [['./x '], '`["./x "]` has white space around the name of the program. Write `["./x"]`.'],
    [
      ['python ', 'x.py'],
      '`["python "]` has white space around the name of the program. Write `["python", "x.py"]`.',
    ],
    [['cd', '/app'], '`cd` is a shell builtin, not a program. Write `["sh", "-c", "cd /app"]`.'],
    [
      ['RATE=1', 'python', 'x.py'],
      '`RATE=1` sets a variable only in a shell. Put it into `env`, or write `["sh", "-c", "RATE=1 python x.py"]`.',
    ],
    [
      ['$HOME/run'],
      'The command runs without a shell, so nothing expands `$HOME/run`. Write `["sh", "-c", "$HOME/run"]`.',
    ],
  ])('%j', (command, message) => {
    for (const lines of missing(command[0] ?? ''))
      expect(reason(127, lines, { command })).toEqual({ code: 'command-not-found', message });
  });

  it.each([[['7']], [['--epochs', '3']], [['train']]])('%j for an ENTRYPOINT', (command) => {
    const lines = [`slipway: exec: ${command[0]}: not found`];
    const { message } = reason(127, lines, { command, entrypointReplaced: true }) ?? {};
    expect(message).toContain('To pass it to the ENTRYPOINT instead, set `"entrypoint": "keep"`');
    expect(reason(127, lines, { command })?.message).not.toContain('keep');
  });

  it.each([
    ['#!/bin/sh\r', "The host can't run `./run.sh`: its first line ends with a carriage return."],
    ['#!/usr/bin/env python3\r', 'Save it with Unix line endings (LF)'],
    ['#!/usr/bin/nosuch -x', "names the interpreter `/usr/bin/nosuch`, which the image doesn't have"],
    ['#! /usr/bin/nosuch', '`/usr/bin/nosuch`'],
  ])('a script that begins with %j', (first, message) => {
    for (const [line = ''] of missing('./run.sh')) {
      const found = reason(127, [line, `slipway: ./run.sh begins with ${first}`]);
      expect(found?.code).toBe('command-not-found');
      expect(found?.message).toContain(message);
    }
  });
});

describe('E2 a command that can not be executed', () => {
  it.each([
    ['slipway: 5: exec: ./run.sh: Permission denied', 'run it with its interpreter: `["sh", "./run.sh"]`'],
    ['slipway: line 5: /app/run.sh: Permission denied', 'RUN chmod +x'],
    ['slipway: line 5: exec: /app/run.sh: cannot execute: Is a directory', '`./run.sh` is a directory.'],
    [
      'slipway: 5: exec: ./run.sh: Exec format error',
      "built for another processor than the hosts' (linux/amd64)",
    ],
    ['slipway: line 5: ./run.sh: cannot execute binary file: Exec format error', 'linux/amd64'],
  ])('%s', (line, message) => {
    const found = reason(126, [line]);
    expect(found?.code).toBe('command-not-executable');
    expect(found?.message).toContain(message);
  });
});

describe('E2 what a command was to run in its turn', () => {
  it.each([
    [127, 'sh: 1: source: not found', 'exit code 127: `source` is a bash builtin'],
    [127, 'sh: source: not found', '`source` is a bash builtin'],
    [127, 'run.sh: 3: trian: not found', 'the shell did not find `trian` in the image'],
    [127, '/bin/sh: trian: not found', '`trian`'],
    [127, 'bash: line 1: trian: command not found', '`trian`'],
    [127, 'run.sh: line 3: trian: command not found', '`trian`'],
    [
      127,
      'run.sh: 2: ls\r: not found',
      'a line of a script ends with a carriage return after `ls`. Save it with Unix line endings',
    ],
    [
      127,
      "run.sh: line 2: $'ls\\r': command not found",
      'a line of a script ends with a carriage return after `ls`',
    ],
    [127, '/usr/bin/env: ‘python3’: No such file or directory', '`python3`'],
    [
      127,
      '/usr/bin/env: ‘python3\\r’: No such file or directory',
      'a line of a script ends with a carriage return after `python3`',
    ],
    [127, "env: can't execute 'python3': No such file or directory", '`python3`'],
    [127, 'bash: line 1: ./x: cannot execute: required file not found', '`./x`'],
    [127, 'bash: line 1: ./x: No such file or directory', '`./x`'],
    [126, 'bash: ./x: /bin/sh^M: bad interpreter: No such file or directory', 'exit code 126'],
    [126, 'sh: 1: ./x: Permission denied', '`./x` is not executable'],
    [
      126,
      'bash: line 1: ./x: cannot execute binary file: Exec format error',
      '`./x` is built for another processor',
    ],
    [
      127,
      "run.sh: line 3: $'\\r': command not found",
      'a line of a script ends with a carriage return. Save',
    ],
    [127, 'run.sh: 3: \r: not found', 'a line of a script ends with a carriage return. Save'],
    [127, 'timeout: failed to run command ‘trian’: No such file or directory', 'not find `trian` in'],
    [127, "nohup: failed to run command 'trian': No such file or directory", 'not find `trian` in'],
    [127, 'nice: ‘trian’: No such file or directory', 'not find `trian` in'],
    [127, 'zsh:1: command not found: trian', 'not find `trian` in'],
    [127, 'fish: Unknown command: trian', 'not find `trian` in'],
    [126, 'timeout: failed to run command ‘./x’: Permission denied', '126: `./x` is not executable'],
    [127, 'something else', 'exit code 127, which usually means that a program does not exist'],
  ])('%i: %s', (exitCode, line, message) => {
    const found = reason(exitCode, ['before', line, ''], { command: ['sh', '-c', 'x'] });
    expect(found?.code).toBe(exitCode === 127 ? 'command-not-found' : 'command-not-executable');
    expect(found?.message).toContain(message);
  });

  it('says what is certain where there is no log', () => {
    expect(reason(127, [])?.message).toMatch(/^The command ended with exit code 127, which usually means/);
    expect(reason(126, [])?.message).toMatch(/^The command ended with exit code 126, which usually means/);
  });
});

describe('E2 a program that the init process can not run', () => {
  const init = (program: string, why: string) => [`[FATAL tini (7)] exec ${program} failed: ${why}`];
  const own = { command: undefined };
  const none = 'No such file or directory';
  it.each<[number, string[], Partial<Launched>, string, string]>([
    [127, init('/bin/sh', none), {}, 'image-without-shell', 'has no /bin/sh'],
    [126, init('/bin/sh', 'Permission denied'), {}, 'image-without-shell', 'no permission to execute'],
    [1, init('/bin/sh', 'Exec format error'), {}, 'image-unsupported', 'linux/amd64'],
    [127, init('/start', none), own, 'image-config-invalid', 'ENTRYPOINT or CMD names `/start`'],
    [127, init('/bin/sh', none), own, 'image-config-invalid', 'names `/bin/sh`'],
    [126, init('/start', 'Permission denied'), own, 'image-config-invalid', 'RUN chmod +x'],
    [1, init('/start', 'Exec format error'), own, 'image-unsupported', 'another processor'],
    [127, init('/start', none), { entrypoint: 'keep', command: ['7'] }, 'image-config-invalid', '`/start`'],
    [127, init('trian', none), { entrypoint: 'keep', command: ['trian'] }, 'command-not-found', '`trian`'],
    [
      126,
      init('x', 'Permission denied'),
      { entrypoint: 'keep', command: ['x'] },
      'command-not-executable',
      '`x`',
    ],
  ])('%i %j %j: %s', (exitCode, lines, launched, code, message) => {
    const found = reason(exitCode, lines, launched);
    expect(found?.code).toBe(code);
    expect(found?.message).toContain(message);
  });
});

it("E2 nothing of AWS's own words, and every exit code of the command's own is one", () => {
  for (const code of [1, 2, 3, 125, 128, 137, 255])
    expect(reason(code, ['sh: 1: x: not found'])).toEqual({
      code: 'exit-code',
      message: `The command ended with exit code ${code}.`,
    });
  for (const code of [126, 127]) expect(reason(code, ['x'])?.message).not.toMatch(/Essential|Batch|task/);
});

it('E2 long words of a command are cut in messages', () => {
  const command = [`/${'x'.repeat(8000)} y`];
  expect(reason(127, ['slipway: exec: x: not found'], { command })?.message.length).toBeLessThan(800);
});

it('E2 what a command prints is read in no time, whatever it is', () => {
  // Each of these once took minutes, in the function that looks after everybody's experiments.
  const lines = [`/a${': 1: \x7fELF'.repeat(20_000)}`, 'env: '.repeat(50_000), ': a: b'.repeat(40_000)];
  const init = `[FATAL tini (7)] exec a failed: ${' '.repeat(200_000)}x`;
  expect(reason(127, lines)?.code).toBe('command-not-found');
  expect(reason(127, [init])?.code).toBe('image-config-invalid');
});

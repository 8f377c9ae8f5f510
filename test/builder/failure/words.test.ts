/** The reason, whatever is put around it: words of Docker 20.10, 23 and 28, of buildx and of the classic builder. */
import { describe, expect, test } from 'vitest';
import { reasonIn } from '../../../builder/failure/words.ts';
import { failureOf } from './printed.ts';

describe('B4 what a command ended with', () => {
  const commands = [
    (end: string) => `process "/bin/sh -c make" did not complete successfully: ${end}`,
    (end: string) => `executor failed running [/bin/sh -c make]: ${end}`,
    // What was to run has the same words in it.
    (end: string) =>
      `process "/bin/sh -c echo 'did not complete successfully: exit code: 9'" did not complete successfully: ${end}`,
    (end: string) => `executor failed running [/bin/sh -c [ -f x ] || echo "]: exit code: 9"]: ${end}`,
    (end: string) => `executor failed running [/bin/sh -c set -e\n\necho two\n]: ${end}`,
  ];
  const prefixes = [
    '',
    'ERROR: ',
    'error: ',
    'ERROR: failed to solve: ',
    'ERROR: failed to build: failed to solve: ',
    'failed to solve: ResourceExhausted: ',
    'failed to solve: rpc error: code = Unknown desc = ',
    'failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0: ',
    'ERROR: failed to build: failed to receive status: rpc error: code = ResourceExhausted desc = failed to solve: ',
    'failed to solve: failed to build: ERROR: failed to solve: ',
    'Error response from daemon: failed to solve: ',
  ];
  const ends: [end: string, exitCode: number | undefined][] = [
    ['exit code: 2', 2],
    ['exit code: 137: context canceled: context canceled', 137],
    ['exit status 3', 3],
    ['exit status: 4', 4],
    ['cannot allocate memory', 137],
    ['signal: killed', 137],
    ['signal: terminated', 143],
    ['signal: segmentation fault', 139],
    ['signal: segmentation fault (core dumped)', 139],
    ['unable to find user bob: no matching entries in passwd file', undefined],
  ];
  test.each(ends)('%s', (end, exitCode) => {
    for (const command of commands)
      for (const prefix of prefixes)
        expect(reasonIn(prefix + command(end))).toEqual({ text: end, isCommand: true, exitCode });
  });

  test('the classic builder', () => {
    expect(reasonIn("The command '/bin/sh -c exit 5' returned a non-zero code: 5").exitCode).toBe(5);
  });

  test('nothing where no command ran', () => {
    for (const text of ['cannot allocate memory', 'signal: killed', 'lease "x": exit code: 3'])
      expect(reasonIn(text)).toEqual({ text, isCommand: false, exitCode: undefined });
  });
});

describe('B4 a step that the host has no memory for', () => {
  const command = 'process "/bin/sh -c npm run build:ci" did not complete successfully';
  const outputs = {
    'as BuildKit tells it since 0.12': `
#12 [4/4] RUN npm run build:ci
#12 311.7 Killed
#12 ERROR: ${command}: cannot allocate memory
------
 > [4/4] RUN npm run build:ci:
------
ERROR: failed to build: failed to solve: ResourceExhausted: ${command}: cannot allocate memory`,
    'without the line of the step': `
#12 [4/4] RUN npm run build:ci
#12 311.7 Killed
------
 > [4/4] RUN npm run build:ci:
------
failed to solve: ResourceExhausted: ${command}: cannot allocate memory`,
    'while another step is given up': `
#12 [4/4] RUN npm run build:ci
#11 [a 1/1] RUN sleep 9
#11 ERROR: process "/bin/sh -c sleep 9" did not complete successfully: context canceled
#12 311.7 Killed
#12 ERROR: ${command}: exit code: 137`,
  };
  test.each(Object.entries(outputs))('%s', (_name, output) => {
    expect(failureOf(output)).toMatchObject({
      code: 'out-of-memory',
      exitCode: 137,
      step: '[4/4] RUN npm run build:ci',
      message: '[4/4] RUN npm run build:ci ended with exit code 137.',
    });
  });

  test('or for the engine itself', () => {
    const said = 'fork/exec /usr/bin/runc: cannot allocate memory';
    expect(failureOf(`#5 [2/2] RUN make\n#5 ERROR: ${said}`).code).toBe('out-of-memory');
  });
});

test('B4 the lines of a here-document are none of the log', () => {
  const output = `
#5 [2/2] RUN <<EOF (set -e...)
#5 0.2 begun
#5 ERROR: executor failed running [/bin/sh -c set -e
#7 ERROR: not an error
------

exit 7
]: exit code: 7
------
 > [2/2] RUN <<EOF (set -e...):
------`;
  expect(failureOf(output)).toMatchObject({ code: 'step-failed', exitCode: 7, lastLines: ['begun'] });
});

test.each([
  ['ADD --chown=1:1 https://a.example/x.tgz /x', 'https://a.example/x.tgz'],
  ['ADD ["https://a.example/x y", "/x"]', 'https://a.example/x'],
  ['ADD local.txt http://a.example/x /d/', 'http://a.example/x'],
  ['ADD git@a.example:x/y.git#main /d/', 'git@a.example:x/y.git#main'],
])('B4 the address that %s could not fetch', (step, address) => {
  const failure = failureOf(`#5 [2/2] ${step}\n#5 ERROR: invalid response status 403`);
  expect(failure).toMatchObject({ code: 'download-failed', step: `[2/2] ${step}` });
  expect(failure.message).toBe(`ADD could not fetch ${address}: the server answered 403.`);
});

test.each(['/dev/vda: no space left on device', 'write /x: disk quota exceeded'])(
  'B4 a full disk, wherever it is met: %s',
  (said) => {
    for (const step of [
      '[2/2] RUN make',
      '[1/2] FROM x:1',
      '[2/2] ADD https://a.example/x /x',
      'exporting to image',
    ])
      expect(failureOf(`#5 ${step}\n#5 ERROR: failed to register layer: ${said}`).code).toBe('disk-full');
  },
);

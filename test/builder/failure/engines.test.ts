/**
 * What real engines print, and how it is read: `engines/` has the output of each, one section for each Dockerfile. To
 * add an engine, build the Dockerfiles of `dockerfiles` with it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pullFailure, pushFailure } from '../../../builder/failure/registry-words.ts';
import type { BuildFailure } from '../../../shared/model/build.ts';
import { failureOf } from './printed.ts';

interface Expected {
  code: string;
  message: RegExp;
  exitCode?: number;
  step?: RegExp;
}

const step = (text: string, exitCode: number, code = 'step-failed'): Expected => ({
  code,
  message: new RegExp(`^\\[.*\\] RUN ${text}.* ended with exit code ${exitCode}\\.$`),
  exitCode,
  step: /^\[.*\] RUN /,
});
const file = (name: string): Expected => ({
  code: 'file-missing',
  message: new RegExp(`^"/${name}" (is not in|does not exist in) `),
  step: /^\[.*\] (COPY|ADD|RUN) /,
});
const download = (address: string, message: string): Expected => ({
  code: 'download-failed',
  message: new RegExp(`${address}.*${message}`),
  step: new RegExp(`ADD (--\\S+ )?${address}`),
});
const base = (code: string, message: RegExp): Expected => ({ code, message });
const dockerfile = (message: RegExp): Expected => ({ code: 'dockerfile-invalid', message });
const local = 'http://127.0.0.1:5055/status';

const expected: Record<string, Expected> = {
  exit3: step('echo hi; exit 3', 3),
  'exec-form': step('\\["sh", "-c", "echo a; exit 4"\\]', 4),
  heredoc: step('<<EOF', 5),
  'heredoc-named': step('<<EOF sh', 6),
  continued: step('echo a &&', 9),
  'multiline-quoted': step('\\["sh"', 11),
  killed: step('sh -c', 137, 'out-of-memory'),
  nocommand: step('nosuchcommand', 127),
  'nocommand-exec': step('\\["nosuch"\\]', 1),
  noshell: step('echo', 1),
  nouser: {
    code: 'step-failed',
    message: /^Unable to find user bob: no matching entries in passwd file$/,
    step: /RUN echo/,
  },
  workdirfile: { code: 'step-failed', message: /^Mkdir \/bin\/busybox: not a directory$/, step: /WORKDIR/ },
  copymissing: file('nosuch'),
  addlocal: file('nosuch.tar'),
  copyfrom: file('nosuch'),
  mountmissing: file('nosuch'),
  secretmissing: { code: 'secret-missing', message: /mounts the secret "tok"/, step: /RUN --mount/ },
  add404: download(`${local}/404`, 'answered 404\\.$'),
  add500: download(`${local}/500`, 'answered 500\\.$'),
  addrefused: download('http://127.0.0.1:1/x.tar.gz', ': dial tcp .* connection refused\\.$'),
  adddns: download('https://no-such.example.invalid/a/b.tgz', ': dial tcp: lookup'),
  addtls: download('https://127.0.0.1:5066/status/200', 'signed by unknown authority\\.$'),
  addsum: download(`${local}/200`, 'its digest is sha256:2d71\\S+ and not sha256:0000'),
  addgit: download('https://127.0.0.1:5066/x.git', ''),
  dns: base('base-image-unavailable', /lookup no-such\.example\.invalid/),
  refused: base('base-image-unavailable', /connection refused/),
  tls: base('base-image-unavailable', /EOF/),
  code401: base('base-image-unauthorized', /401 Unauthorized/),
  code403: base('base-image-unauthorized', /403 Forbidden/),
  code404: base('base-image-not-found', /not found/),
  code429: base('rate-limited', /429 Too Many Requests/),
  code500: base('base-image-unavailable', /500 Internal Server Error/),
  zstd: base('base-image-unreadable', /^Failed to register layer: /),
  odd: base('base-image-unreadable', /^Failed to register layer: /),
  copyfrom404: base('base-image-not-found', /code404\/x:1: not found/),
  badstage: base('base-image-unavailable', /nosuchstage/),
  badinstr: dockerfile(/^Dockerfile parse error .*2: unknown instruction: FOO/),
  badarg: dockerfile(/^FROM \$NOPE does not name an image/),
  badflag: dockerfile(/unknown flag: (--)?nosuch/i),
  badfromname: dockerfile(/^Failed to parse stage name "UPPER\/Case"/),
  comments: dockerfile(/^File with no instructions$/),
  emptyfrom: dockerfile(/FROM requires either one or three arguments$/),
  nofrom: dockerfile(/^No build stage in current context$/),
  oldsyntax: base('base-image-unavailable', /docker\/dockerfile/),
  pull401: base('source-unauthorized', /could not pull \S+: (?!Error|unknown)/),
  pull404: base('source-not-found', /could not pull \S+: (?!Error|unknown)/),
  pull429: base('rate-limited', /could not pull \S+: (?!Error|unknown)/),
  pull500: base('source-unavailable', /could not pull \S+: .*500 Internal Server Error/),
  pullzstd: base('source-unsupported', /could not pull \S+: failed to register layer/),
  pullodd: base('source-unsupported', /could not pull \S+: failed to (register|extract) layer/),
  push401: base('push-unauthorized', /could not push \S+: (?!unknown)/),
  push403: base('push-unauthorized', /could not push \S+: (?!unknown)/),
  push429: base('rate-limited', /could not push \S+: (?!unknown)/),
  push500: base('target-unavailable', /could not push \S+: .*500 Internal Server Error$/),
  push1270011x: base('target-unavailable', /connection refused$/),
  pushtlsinvalidx: base('target-unavailable', /lookup tls\.invalid/),
};

/** What an engine doesn't know yet. */
const older: Record<string, Record<string, Expected>> = {
  'docker-20.10.24': {
    heredoc: dockerfile(/unknown instruction: ECHO$/),
    'heredoc-named': dockerfile(/unknown instruction: ECHO$/),
    addsum: dockerfile(/Unknown flag: checksum$/),
  },
};

const folder = join(import.meta.dirname, 'engines');
const printed = readdirSync(folder).flatMap((name) =>
  readFileSync(join(folder, name), 'utf8')
    .split(/^== /m)
    .slice(1)
    .map((section): [engine: string, title: string, output: string] => {
      const end = section.indexOf('\n');
      return [name.replace('.txt', ''), section.slice(0, end), section.slice(end + 1).trimEnd()];
    }),
);

function read(name: string, output: string): BuildFailure {
  if (name.startsWith('push')) return pushFailure('127.0.0.1:5055/x:1', output.split('\n'));
  if (name.startsWith('pull')) return pullFailure('127.0.0.1:5055/x:1', output.split('\n'));
  return failureOf(output);
}

test.each(printed)('B1 B4 %s: %s', (engine, title, output) => {
  const name = title.split(' ')[0] ?? '';
  const { code, message, exitCode, step: at } = older[engine]?.[name] ?? expected[name] ?? {};
  const failure = read(name, output);
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message ?? /^$/) });
  expect(failure.exitCode).toBe(exitCode);
  if (at) expect(failure.step).toMatch(at);
  expect(failure.message).not.toMatch(
    /^(ERROR|failed to (build|solve)|process "|executor failed)|\/var\/lib\/docker/i,
  );
});

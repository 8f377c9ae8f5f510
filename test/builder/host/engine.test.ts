import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restartEngine } from '../../../builder/host/engine.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-host-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = (name: string, script: string) => {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
};
const hostWith = (more: { daemon?: string; pid?: string; config?: string } = {}) => ({
  pid: join(folder, 'docker.pid'),
  config: join(folder, 'etc/docker/daemon.json'),
  daemon: '/bin/true',
  log: join(folder, 'daemon.log'),
  waitSeconds: 30,
  ...more,
});
const wanted = { containerdStore: true };
const answering = () => program('docker', 'exit 0');
const silent = () => program('docker', 'exit 1');

test('B9 a Docker daemon that cannot be started is an error like any other', async () => {
  const missing = hostWith({ daemon: join(folder, 'no-such-daemon') });
  await expect(restartEngine(silent(), wanted, missing)).rejects.toThrow('ENOENT');
  const daemon = program('daemon', 'echo "failed to start: bad address" >&2\nexit 3');
  await expect(restartEngine(silent(), wanted, hostWith({ daemon }))).rejects.toThrow(
    /exit code 3; it said:\nfailed to start: bad address/,
  );
  // The daemon that was there still answers.
  await restartEngine(answering(), wanted, hostWith({ daemon }));
});

test('B9 a configuration that cannot be written, or that is none, leaves the engine as it was', async () => {
  writeFileSync(join(folder, 'etc'), 'a file where the folder is to be');
  await restartEngine(answering(), wanted, hostWith());
  rmSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'etc/docker'), { recursive: true });
  const { config } = hostWith();
  for (const text of ['no JSON', '{"hosts": ["fd://"']) {
    writeFileSync(config, text);
    await restartEngine(answering(), wanted, hostWith());
    expect(readFileSync(config, 'utf8')).toBe(text);
  }
});

test('B9 a daemon that hangs with the new settings makes room for the one that was there', async () => {
  const [ready, hanging] = [join(folder, 'ready'), join(folder, 'hanging')];
  const host = { ...hostWith(), waitSeconds: 10 };
  const daemon = program(
    'daemon',
    `if [ -e ${host.config} ]; then echo $$ > ${hanging}; exec sleep 600; fi
kill -0 "$(cat ${hanging})" 2>/dev/null && { echo "process is still running" >&2; exit 1; }
touch ${ready}`,
  );
  await restartEngine(program('docker', `[ -e ${ready} ]`), wanted, { ...host, daemon });
  expect(existsSync(hanging)).toBe(true);
  expect(existsSync(host.config)).toBe(false);
}, 120_000);

test.each([
  ['28.5.2', '-1'],
  ['23.0.6', '-1'],
  // To which -1 is less than anything that a step prints.
  ['20.10.24', '2147483647'],
  ['', '2147483647'],
])(
  'B20 without the registry cache the configuration stays, and the limits of logs are off: Docker %s',
  async (version, limit) => {
    const seen = join(folder, 'seen');
    const daemon = program('daemon', `env | grep ^BUILDKIT > ${seen}.new; mv ${seen}.new ${seen}`);
    const client = program('docker', `[ -n "$2" ] && echo "${version}"; [ -e ${seen} ]`);
    await restartEngine(client, { containerdStore: false }, hostWith({ daemon }));
    expect(existsSync(hostWith().config)).toBe(false);
    expect(readFileSync(seen, 'utf8').trim().split('\n').sort()).toEqual([
      `BUILDKIT_STEP_LOG_MAX_SIZE=${limit}`,
      `BUILDKIT_STEP_LOG_MAX_SPEED=${limit}`,
    ]);
  },
);

test('an ended daemon that nobody has asked about is not waited for', async () => {
  // A shell that never asks about its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const host = hostWith();
    writeFileSync(host.pid, line);
    await restartEngine(answering(), wanted, host);
    expect(readFileSync(`/proc/${line.toString().trim()}/stat`, 'utf8')).toContain(') Z ');
  } finally {
    parent.kill('SIGKILL');
  }
});

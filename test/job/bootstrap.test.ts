/** The bootstrap in the shells that images really have, in containers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrapped } from '../../job/bootstrap.ts';
import { pythonImage } from '../../scripts/base-image/python.ts';
import { tinyImage } from '../../scripts/base-image/tiny.ts';
import { type Engine, ensureEngine } from '../../scripts/engine.ts';

const run = promisify(execFile);
const quiet = () => undefined;
const shells: [name: string, image: (engine: Engine) => Promise<string>, sh: string[]][] = [
  ['busybox ash', (engine) => tinyImage(engine, quiet), ['/bin/sh']],
  ['dash', (engine) => pythonImage(engine, quiet), ['/bin/sh']],
  ['bash as a POSIX shell', (engine) => pythonImage(engine, quiet), ['/bin/bash', '--posix']],
];

describe.each(shells)('E2 the bootstrap in %s', (_name, imageFor, sh) => {
  let cli = '';
  let container = '';

  beforeAll(async () => {
    const engine = await ensureEngine({ yes: true });
    cli = engine.cli;
    const image = await imageFor(engine);
    const { stdout } = await run(cli, ['run', '-d', '--rm', '--network=none', image, 'sleep', '600']);
    container = stdout.trim();
    await run(cli, ['exec', container, 'sh', '-c', 'echo text > /tmp/data; chmod 644 /tmp/data']);
  });
  afterAll(async () => {
    if (container) await run(cli, ['rm', '-f', container]);
  });

  /** Runs `command` as a job would, with the shell under test as the image's /bin/sh, in /tmp. */
  async function execute(command: string[]): Promise<{ code: number; output: string }> {
    const [, ...words] = bootstrapped(command);
    try {
      const { stdout, stderr } = await run(cli, ['exec', '-w', '/tmp', container, ...sh, ...words]);
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  }

  it('passes arguments as they are', async () => {
    const odd = ['a b', '', '*', '$HOME', '`id`', '"; exit 9', "'", '\n', 'ü', '--', '\\'];
    const { output } = await execute(['printf', '<%s>', ...odd]);
    expect(output).toBe(odd.map((one) => `<${one}>`).join(''));
  });

  it("stays in the image's working directory and says which it is", async () => {
    expect((await execute(['sh', '-c', 'pwd; echo "$SLIPWAY_WORKDIR"'])).output).toBe('/tmp\n/tmp\n');
  });

  it.each([
    [0, ['true']],
    [3, ['sh', '-c', 'exit 3']],
    [127, ['no-such-program']],
    [127, ['/no/such/program', 'x']],
    [126, ['/tmp/data']],
    [127, ['-v']],
    [127, ['source', '/tmp/data']],
    [127, ['exit 3']],
  ])('ends with exit code %i', async (expected, command) => {
    const { code, output } = await execute(command);
    expect(code).toBe(expected);
    if (expected >= 126) expect(output).toMatch(/slipway: .*(not found|denied|such file)/i);
  });

  it.each(['#!/no/such/interpreter', '#!/bin/sh\\r'])(
    'shows the first line of a script: %s',
    async (first) => {
      const path = `/tmp/script-${first.length}`;
      const write = `printf '${first}\\necho hi\\n' > ${path}; chmod 755 ${path}`;
      await run(cli, ['exec', container, 'sh', '-c', write]);
      const { code, output } = await execute([path, 'x']);
      expect(code).toBe(127);
      expect(output).toContain(`slipway: ${path} begins with ${first.replace('\\r', '\r')}\n`);
    },
  );

  it('says nothing of a command that ran', async () => {
    for (const code of [0, 126, 127])
      expect(await execute(['sh', '-c', `exit ${code}`])).toEqual({ code, output: '' });
  });

  it('becomes the command, so that signals reach it', async () => {
    const script = 'echo $$ > /tmp/written; mv /tmp/written /tmp/pid; exec sleep 30';
    const ended = execute(['sh', '-c', script]);
    const kill = ['exec', container, 'sh', '-c', 'test -s /tmp/pid && kill -TERM "$(cat /tmp/pid)"'];
    await expect
      .poll(() =>
        run(cli, kill).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect((await ended).code).toBe(128 + 15);
  });
});

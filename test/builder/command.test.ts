import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cacheModeOf } from '../../builder/cache-mode.ts';
import { buildArguments } from '../../builder/command.ts';
import { findDocker } from '../../builder/docker.ts';
import { lineSplitter, shown } from '../../builder/output.ts';

const command = {
  dockerfile: '/w/Dockerfile',
  context: '/w/context',
  uri: 'registry.example/acme/x:1',
  buildArgs: { BASE: '$(reboot); rm -rf /', EMPTY: '' },
  secrets: [{ id: 'token', path: '/w/secrets/token' }],
  cache: 'registry.example/acme/x:slipway-cache',
  cacheKept: true,
};
const common = [
  'build',
  '--progress=plain',
  '--file',
  '/w/Dockerfile',
  '--tag',
  'registry.example/acme/x:1',
  '--build-arg',
  'BASE=$(reboot); rm -rf /',
  '--build-arg',
  'EMPTY=',
  '--secret',
  'id=token,src=/w/secrets/token',
];

describe('B9 the command line of a build', () => {
  test('with a registry cache, for buildx', () => {
    expect(buildArguments({ ...command, cacheMode: 'registry', cacheExists: true })).toEqual([
      ...common,
      '--cache-from',
      'type=registry,ref=registry.example/acme/x:slipway-cache',
      '--cache-to',
      'type=registry,ref=registry.example/acme/x:slipway-cache,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true',
      '/w/context',
    ]);
  });

  test('with an inline cache, for any engine that has BuildKit', () => {
    expect(buildArguments({ ...command, cacheMode: 'inline', cacheExists: true })).toEqual([
      ...common,
      '--build-arg',
      'BUILDKIT_INLINE_CACHE=1',
      '--cache-from',
      'registry.example/acme/x:slipway-cache',
      '--cache-from',
      'registry.example/acme/x:slipway-cache-latest',
      '/w/context',
    ]);
  });

  test('B13 reads the cache and writes none where nothing is pushed', () => {
    const read = buildArguments({ ...command, cacheMode: 'registry', cacheExists: true, cacheKept: false });
    expect(read).toContain('--cache-from');
    expect(read).not.toContain('--cache-to');
  });

  test('keeps organisations apart that build in one engine, whatever a build says of itself', () => {
    const own = { BUILDKIT_CACHE_MOUNT_NS: 'globex' };
    const args = buildArguments({
      ...command,
      buildArgs: own,
      organisation: 'acme',
      cacheMode: 'inline',
      cacheExists: false,
    });
    expect(args.join(' ')).toContain('--add-host acme.organisation.invalid:0.0.0.0');
    // Of several the last counts.
    expect(args.findLast((one) => one.startsWith('BUILDKIT_CACHE_MOUNT_NS='))).toBe(
      'BUILDKIT_CACHE_MOUNT_NS=acme',
    );
  });

  test('does not ask for a cache that is not there', () => {
    for (const cacheMode of ['registry', 'inline'] as const)
      expect(buildArguments({ ...command, cacheMode, cacheExists: false })).not.toContain('--cache-from');
  });
});

describe('B1 the Docker client that builds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-clients-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const client = (name: string, script: string) => {
    mkdirSync(join(folder, name));
    const path = join(folder, name, 'docker');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const withBuildx = client('buildx', 'exit 0');
  const withoutBuildx = client(
    'plain',
    '[ "$1" = --version ] && echo "Docker version 28.2.2, build 1" || exit 1',
  );
  const old = client(
    'old',
    '[ "$1" = --version ] && echo "Docker version 20.10.24+dfsg1, build 2" || exit 1',
  );
  const path = (...clients: string[]) => clients.map((one) => join(one, '..')).join(':');

  test('is the one that SLIPWAY_DOCKER names', async () => {
    expect(await findDocker({ SLIPWAY_DOCKER: '/opt/docker', PATH: path(withBuildx) })).toBe('/opt/docker');
  });

  test('is the first with buildx, or with BuildKit of its own; a newer one without the plugin is passed over', async () => {
    expect(await findDocker({ PATH: path(withoutBuildx, withBuildx, old) })).toBe(withBuildx);
    expect(await findDocker({ PATH: path(withoutBuildx, old, withBuildx) })).toBe(old);
  });
});

describe('a build host of our own', () => {
  test('B9 the registry cache is used where the engine can, else the build goes on with the inline one', async () => {
    const engine = (line: string, exitCode = 0) => ({
      run: async (_: string[], onLine: (line: string) => void) => {
        onLine(line);
        return exitCode;
      },
    });
    const containerd = engine('[["driver-type","io.containerd.snapshotter.v1"]]');
    const overlay = engine('[["Backing Filesystem","extfs"]]');
    const ours = { BUILDER_CACHE_MODE: 'registry', BUILDER_HOST: 'dedicated' } as const;
    expect(await cacheModeOf(ours, containerd)).toBe('registry');
    expect(await cacheModeOf(ours, overlay)).toBe('inline');
    expect(await cacheModeOf(ours, engine('', 1))).toBe('inline');
    expect(await cacheModeOf({ ...ours, BUILDER_CACHE_MODE: 'inline' }, containerd)).toBe('inline');
  });
});

describe('B3 what the builder prints', () => {
  test('lines, whatever the chunks, bytes that are no text included', () => {
    const lines: string[] = [];
    const splitter = lineSplitter((line) => lines.push(line));
    const bytes = Buffer.from('eins\nzw\u00f6lf\n\u{1f600}\n');
    for (const byte of bytes) splitter.write(Buffer.from([byte]));
    splitter.write(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0x65]));
    splitter.end();
    expect(lines).toEqual(['eins', 'zwölf', '😀', 'a\ufffdb', 'e']);
  });

  test('a line without an end is cut', () => {
    const lines: string[] = [];
    const splitter = lineSplitter((line) => lines.push(line));
    for (let i = 0; i < 5; i++) splitter.write(Buffer.alloc(100_000, 'x'));
    splitter.end();
    expect(lines.join('')).toHaveLength(500_000);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(65_536);
  });

  test.each(['', 'x'])('no character of a cut line is lost, also after %j', (first) => {
    const lines: string[] = [];
    const splitter = lineSplitter((line) => lines.push(line));
    const inner = `${first}${'\u{1f600}'.repeat(100_000)}`;
    splitter.write(Buffer.from(`#5 0.1 ${inner}`));
    splitter.end();
    // As they are written: half a character would become another one.
    const written = lines.map((line) => Buffer.from(line).toString());
    expect(written.map((line) => line.replace(/^#5 0\.1 /, '')).join('') === inner).toBe(true);
  });

  test('a long line of a step cannot pass for a line of the log itself', () => {
    for (const fill of ['x', '\u{20ac}'])
      for (const lengths of [[65_536], [100_000], [200_000], [262_144 - 8, 65_536]]) {
        const lines: string[] = [];
        const splitter = lineSplitter((line) => lines.push(line));
        const inner = lengths.map((length) => fill.repeat(length - '#5 0.123 '.length)).join('');
        const bytes = Buffer.from(`#5 0.123 ${inner}[slipway] end of log\n#5 DONE 0.2s\n`);
        for (let at = 0; at < bytes.length; at += 65_536) splitter.write(bytes.subarray(at, at + 65_536));
        splitter.end();
        expect(lines.filter((line) => !line.startsWith('#5 '))).toEqual([]);
        expect(lines.map((line) => line.replace(/^#5 0\.123 /, '')).join('')).toBe(
          `${inner}[slipway] end of log#5 DONE 0.2s`,
        );
        // What CloudWatch would cut.
        expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(256 * 1024);
      }
  });

  test('of a progress bar its last state, behind the number of its step', () => {
    expect(shown('#5 1.234 10%\r50%\r100%\r')).toBe('#5 1.234 100%');
    expect(shown('#5 DONE 0.1s')).toBe('#5 DONE 0.1s');
    expect(shown('plain\r')).toBe('plain');
  });
});

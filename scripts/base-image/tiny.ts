/** A base image of two megabytes: one static busybox. Tests build on it, since it takes a second to make. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from '../command.ts';
import { hasApt, installPackages, isRoot } from '../engine/install.ts';
import type { Engine } from '../engine.ts';
import type { Detail } from '../progress.ts';

const RECIPE = 'r1';
const PUBLIC_IMAGE = 'docker.io/library/busybox:1.37';
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'];

/** A busybox that needs no libraries; Debian's ordinary `busybox` package does. */
async function staticBusybox(): Promise<string | undefined> {
  for (const path of BUSYBOX) {
    if (!existsSync(path)) continue;
    // A dynamic program names its loader in the PT_INTERP header, near the start of the file.
    if (!readFileSync(path).subarray(0, 4096).includes('/ld-')) return path;
  }
  return undefined;
}

/** The engine's tag of the tiny base, made from `busybox-static`, or pulled where there are no Debian packages. */
export async function tinyImage(engine: Engine, detail: Detail): Promise<string> {
  if (!(await staticBusybox()) && hasApt() && isRoot()) await installPackages(['busybox-static'], [], detail);
  const busybox = await staticBusybox();
  if (!busybox) {
    detail(`pulling ${PUBLIC_IMAGE}`);
    await run(engine.cli, ['pull', '-q', PUBLIC_IMAGE]);
    return PUBLIC_IMAGE;
  }
  const content = createHash('sha256').update(readFileSync(busybox)).digest('hex').slice(0, 12);
  const image = `slipway-base/tiny:${content}-${RECIPE}`;
  if (await succeeds(engine.cli, ['image', 'inspect', image])) return image;

  const work = await mkdtemp('/var/tmp/slipway-base-');
  try {
    const root = join(work, 'root');
    for (const path of ['bin', 'etc', 'root', 'usr/bin', 'usr/sbin', 'sbin', 'var'])
      await mkdir(join(root, path), { recursive: true });
    await mkdir(join(root, 'tmp'));
    await copyFile(busybox, join(root, 'bin/busybox'));
    for (const applet of (await run(busybox, ['--list'])).trim().split('\n'))
      if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
    await writeFile(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/false\n',
    );
    await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
    const archive = join(work, 'root.tar');
    const tar = (...args: string[]) =>
      run('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', ...args]);
    await tar('--exclude=./tmp', '-cf', archive, '.');
    await tar('--mode=1777', '-rf', archive, './tmp');
    const settings = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', 'CMD ["/bin/sh"]'];
    await run(engine.cli, ['import', ...settings.flatMap((one) => ['--change', one]), archive, image]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return image;
}

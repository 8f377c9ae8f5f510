/**
 * A Python base image from Debian's (or Ubuntu's) own packages, for machines that reach no container registry.
 * Made once: the engine keeps it, under a tag that names the recipe.
 */
import { lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from '../command.ts';
import { isRoot } from '../engine/install.ts';
import type { Engine } from '../engine.ts';
import type { Detail } from '../progress.ts';
import { bootstrap, hostRelease } from './debian.ts';

/** Raise it when the recipe changes, so that cached images of the old one aren't used. */
const RECIPE = 'r2';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The machine can't make a base image; the message is one line which says what to do. */
class BaseImageError extends Error {
  override readonly name = 'BaseImageError';
}

/** The engine's tag of the Python base; made first if it isn't there (half a minute, as root). */
export async function pythonImage(engine: Engine, detail: Detail): Promise<string> {
  const release = hostRelease();
  const image = `slipway-base/python:${release?.codename ?? 'none'}-${RECIPE}`;
  if (await succeeds(engine.cli, ['image', 'inspect', image])) return image;
  if (!release || !isRoot())
    throw new BaseImageError(
      'ECR Public does not answer, and making a base image from Debian packages needs root on Debian or Ubuntu: ' +
        'name a Python image that this machine can pull in SLIPWAY_BASE_IMAGE.',
    );
  // Device nodes are made in it, which many a /tmp forbids.
  const work = await mkdtemp('/var/tmp/slipway-base-');
  try {
    const root = join(work, 'root');
    const archive = join(work, 'root.tar');
    await bootstrap(root, { release: release.codename, packages: ['python3'] }, detail);
    detail('leaving out documentation, locales and package caches');
    await slim(root);
    await symlink('python3', join(root, 'usr/bin/python'));
    detail('importing into the engine');
    await run('tar', ['-C', root, '--numeric-owner', '--one-file-system', '-cf', archive, '.']);
    const settings = [`ENV PATH=${PATH}`, 'ENV LANG=C.UTF-8', 'CMD ["python3"]'];
    await run(engine.cli, ['import', ...settings.flatMap((one) => ['--change', one]), archive, image]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return image;
}

/** What Debian's own slim images leave out; copyright files stay. */
async function slim(root: string): Promise<void> {
  const gone = ['usr/share/man', 'usr/share/info', 'usr/share/locale', 'usr/share/lintian', 'usr/share/i18n'];
  for (const path of gone) await rm(join(root, path), { recursive: true, force: true });
  for (const path of ['var/lib/apt/lists', 'var/cache/apt', 'var/log', 'tmp']) await empty(join(root, path));
  await keepCopyrights(join(root, 'usr/share/doc'));
  await rm(join(root, 'etc/dpkg/dpkg.cfg.d/99mmdebstrap'), { force: true });
  await writeFile(
    join(root, 'etc/dpkg/dpkg.cfg.d/slipway-slim'),
    `${gone.map((path) => `path-exclude /${path}/*`).join('\n')}\npath-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n`,
  );
  await writeFile(
    join(root, 'etc/apt/apt.conf.d/slipway-slim'),
    'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nDPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n',
  );
}

async function empty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory))
    await rm(join(directory, name), { recursive: true, force: true });
}

async function keepCopyrights(documents: string): Promise<void> {
  for (const name of await readdir(documents)) {
    const folder = join(documents, name);
    if (!(await lstat(folder)).isDirectory()) continue;
    for (const file of await readdir(folder))
      if (file !== 'copyright') await rm(join(folder, file), { recursive: true, force: true });
  }
}

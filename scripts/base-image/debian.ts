/** File systems from Debian's (or Ubuntu's) own packages, of the mirror that this machine's apt uses. */
import { existsSync, readFileSync } from 'node:fs';
import { run } from '../command.ts';
import { commandsOnPath } from '../engine/find.ts';
import { hasApt, installPackages } from '../engine/install.ts';
import type { Detail } from '../progress.ts';

export interface Release {
  distribution: string;
  codename: string;
}

/** The machine's own; undefined where it has no apt. */
export function hostRelease(): Release | undefined {
  if (!hasApt() || !existsSync('/etc/os-release')) return undefined;
  const text = readFileSync('/etc/os-release', 'utf8');
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  const codename = field('VERSION_CODENAME');
  return codename ? { distribution: field('ID') ?? 'debian', codename } : undefined;
}

export interface Bootstrap {
  /** Codename or suite of the machine's distribution: its own release, or another one. */
  release: string;
  packages: string[];
}

/** Makes `root`, with apt, its essential packages and these. Needs root; installs mmdebstrap where it is missing. */
export async function bootstrap(
  root: string,
  { release, packages }: Bootstrap,
  detail: Detail,
): Promise<void> {
  if (commandsOnPath('mmdebstrap').length === 0) await installPackages(['mmdebstrap'], ['gpgv'], detail);
  // Lets `usr-is-merged` stand in for a package that needs all of Perl.
  const hook = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';
  const options = [
    '--mode=root',
    '--variant=apt',
    '--format=directory',
    `--include=${packages.join(',')}`,
    // Nobody needs half an image after a power failure.
    '--dpkgopt=force-unsafe-io',
    // A mirror that is a copy of a moment has lists that have run out since.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    ...(existsSync(hook) ? [`--hook-dir=${hook}`] : []),
  ];
  await run('mmdebstrap', [...options, release, root, await sourceOf(release)], {
    onLine: (line) => detail(line.replace(/^I: /, '')),
  });
}

/** The package source that this machine itself uses, as a line of sources.list: a company's own mirror works too. */
async function sourceOf(release: string): Promise<string> {
  const host = hostRelease();
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(CODENAME) $(COMPONENT)']);
  for (const target of targets.split('\n')) {
    const [uri, codename, component] = target.split(' ');
    if (!uri || codename !== host?.codename || component !== 'main' || uri.includes('security')) continue;
    const keyring = `/usr/share/keyrings/${host?.distribution}-archive-keyring.gpg`;
    return `deb ${existsSync(keyring) ? `[signed-by=${keyring}] ` : ''}${uri} ${release} main`;
  }
  throw new Error(`apt has no package mirror for ${host?.codename} main. Check /etc/apt/sources.list.`);
}

/**
 * A host that has what CodeBuild's `standard:8.0` has (its Dockerfile is public): the engine's programs in
 * /usr/local/bin as of Docker's static archive, buildx as a plugin of the system, Node 24, iptables, no /etc/docker, and
 * no service manager. Docker Inc.'s own archive can't be had everywhere; Debian's unstable release has the same versions
 * of the engine (28.5.2) and a newer buildx. Made once, as root, and kept.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../../../infra/bundles.ts';
import { bootstrap } from '../../../scripts/base-image/debian.ts';
import { run } from '../../../scripts/command.ts';

/** Raise it when the recipe changes. */
const kept = '/var/tmp/slipway-codebuild-host-r1';
const packages = [
  'docker.io',
  'docker-cli',
  'docker-buildx',
  'docker-registry',
  'iptables',
  'busybox-static',
];
/** As Docker's static archive has them. */
const programs = [
  'docker',
  'dockerd',
  'docker-proxy',
  'docker-init',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
];

/** Half a minute once, then at once. */
export async function hostRoot(): Promise<string> {
  if (existsSync(kept)) return kept;
  const work = await mkdtemp('/var/tmp/slipway-codebuild-');
  try {
    const root = join(work, 'root');
    await bootstrap(root, { release: 'sid', packages }, () => undefined);
    for (const program of programs)
      for (const folder of ['usr/bin', 'usr/sbin'])
        if (existsSync(join(root, folder, program)))
          await rename(join(root, folder, program), join(root, 'usr/local/bin', program));
    await mkdir(join(root, 'usr/local/lib/docker'), { recursive: true });
    await rename(
      join(root, 'usr/libexec/docker/cli-plugins'),
      join(root, 'usr/local/lib/docker/cli-plugins'),
    );
    await rm(join(root, 'etc/docker'), { recursive: true, force: true });
    // Another run may have made it meanwhile.
    await rename(root, kept).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

/** Mounts as a container has them; what is written lies beside the root, and what the engine keeps on no overlay. */
const enter = `
set -e
root=$1 work=$2; shift 2
mount --make-rprivate /
mkdir "$work/upper" "$work/meta" "$work/host" "$work/docker"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/meta" "$work/host"
cd "$work/host"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs tmpfs run
mkdir -p var/lib/docker rehearsal
mount --bind "$work/docker" var/lib/docker
mount --bind "$work/files" rehearsal
ip link set lo up
exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
`;

/** Runs a scenario of `inside.ts` in namespaces of its own, which end with it; answers what it saw. */
export async function rehearse(scenario: string): Promise<unknown> {
  const root = await hostRoot();
  const work = await mkdtemp('/var/tmp/slipway-rehearsal-');
  try {
    const files = join(work, 'files');
    await mkdir(files);
    await copyFile(process.execPath, join(files, 'node'));
    await copyFile(fileURLToPath(new URL('inside.ts', import.meta.url)), join(files, 'inside.ts'));
    await build({
      entryPoints: [fileURLToPath(new URL('../../../builder/main.ts', import.meta.url))],
      outfile: join(files, 'builder.mjs'),
      ...bundleOptions,
      logLevel: 'silent',
      splitting: false,
    });
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--uts', '--ipc', '--kill-child'];
    const inside = ['/rehearsal/node', '/rehearsal/inside.ts', scenario];
    const output = await run('unshare', [...namespaces, 'sh', '-c', enter, 'enter', root, work, ...inside]);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

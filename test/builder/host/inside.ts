/**
 * What happens inside the rehearsal's host: the engine is started as CodeBuild's image starts it, then the builder's
 * phases run as the buildspec has them. Prints what was seen as one line of JSON, the last one. Imports nothing of the
 * project: the host has only what is put into `/rehearsal`.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const scenario = process.argv[2] ?? '';
const registry = '127.0.0.1:5000';

function docker(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function until(reached: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await reached()) return;
    await sleep(100);
  }
  throw new Error(`${what} takes too long`);
}

/** The command line of the image's own entry point. */
async function startEngine(): Promise<void> {
  const log = openSync('/var/log/docker.log', 'a');
  const args = [
    '--host=unix:///var/run/docker.sock',
    '--host=tcp://127.0.0.1:2375',
    '--storage-driver=overlay2',
  ];
  spawn('/usr/local/bin/dockerd', args, { stdio: ['ignore', log, log], detached: true }).unref();
  await until(() => spawnSync('docker', ['version']).status === 0, 'the engine');
}

/** Artifacts bucket: what is asked for by GET, and what came by PUT. */
const objects = new Map<string, string>();
async function startBucket(): Promise<string> {
  const server = createServer(async (asked, answer) => {
    const key = new URL(asked.url ?? '', 'http://x').pathname;
    let body = '';
    for await (const chunk of asked) body += chunk;
    if (asked.method === 'PUT') objects.set(key, body);
    answer.writeHead(objects.has(key) ? 200 : 404);
    answer.end(asked.method === 'PUT' ? '' : objects.get(key));
  });
  await new Promise<void>((ready) => server.listen(5080, '127.0.0.1', ready));
  return 'http://127.0.0.1:5080';
}

async function startRegistry(): Promise<void> {
  writeFileSync(
    '/tmp/registry.yml',
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: /tmp/registry}}\nhttp: {addr: ${registry}}\n`,
  );
  spawn('docker-registry', ['serve', '/tmp/registry.yml'], { stdio: 'ignore', detached: true }).unref();
  await until(
    () =>
      fetch(`http://${registry}/v2/`).then(
        () => true,
        () => false,
      ),
    'the registry',
  );
}

const environment = (endpoint: string) => ({
  ...process.env,
  ARTIFACTS_BUCKET: 'artifacts',
  SLIPWAY_SPEC: 'spec.json',
  BUILDER_CACHE_MODE: 'registry',
  BUILDER_HOST: 'dedicated',
  CODEBUILD_BUILD_ID: 'slipway:1',
  CODEBUILD_BUILD_SUCCEEDING: '1',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_ENDPOINT_URL: endpoint,
});

/** One phase of the buildspec; answers its log. */
function phase(name: string, endpoint = ''): Promise<string> {
  const child = spawn(process.execPath, ['builder.mjs', name], {
    cwd: '/rehearsal',
    env: environment(endpoint),
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
    });
  return new Promise((resolve, reject) => {
    child.once('close', (code) =>
      code === 0
        ? resolve(log)
        : reject(new Error(`${name} ended with exit code ${code}:\n${log.slice(-4000)}`)),
    );
  });
}

function pushBase(): string {
  mkdirSync('/tmp/base/bin', { recursive: true });
  copyFileSync('/usr/bin/busybox', '/tmp/base/bin/busybox');
  for (const name of ['sh', 'seq', 'echo', 'nc'])
    copyFileSync('/tmp/base/bin/busybox', `/tmp/base/bin/${name}`);
  spawnSync('tar', ['-C', '/tmp/base', '-cf', '/tmp/base.tar', '.']);
  const base = `${registry}/acme/base:1`;
  docker('import', '--change', 'ENV PATH=/bin', '/tmp/base.tar', base);
  docker('push', base);
  return base;
}

async function buildOf(endpoint: string, dockerfile: string) {
  const spec = {
    version: 1,
    kind: 'build',
    organisation: 'acme',
    buildId: 'bld_1',
    dockerfile,
    buildArgs: {},
    bases: {},
    secrets: [],
    registries: [],
    target: `${registry}/acme/x:1`,
    privateRegistries: ['127.0.0.1'],
    cache: `${registry}/acme/x:slipway-cache`,
    resultKey: 'result.json',
  };
  objects.set('/artifacts/spec.json', JSON.stringify(spec));
  await phase('prepare', endpoint);
  const log = await phase('build', endpoint);
  await phase('push', endpoint);
  return { log, result: JSON.parse(objects.get('/artifacts/result.json') ?? 'null') };
}

/** The whole of a build, and of an edited one on a host that has nothing of the first. */
async function buildTwice() {
  const endpoint = await startBucket();
  await startRegistry();
  const base = pushBase();
  const steps = `FROM ${base}\nRUN seq 1 60000\nRUN nc -w 1 169.254.170.2 80 </dev/null; echo asked\n`;
  const first = await buildOf(endpoint, steps);
  docker('builder', 'prune', '--all', '--force');
  const second = await buildOf(endpoint, `${steps}RUN echo edited\n`);
  return {
    result: first.result,
    printed: first.log.split('\n').filter((line) => /^#\d+ \d+\.\d+ \d+$/.test(line)).length,
    blocked: /blocked packets to metadata addresses: .*/.exec(first.log)?.[0],
    /** What steps of the first build printed again: not every layer from the cache is called CACHED. */
    repeated: second.log.split('\n').filter((line) => /^#\d+ \d+\.\d+ (\d+|asked)$/.test(line)).length,
    cacheLog: second.log.slice(0, 3000),
  };
}

if (scenario === 'configured') {
  mkdirSync('/etc/docker');
  writeFileSync('/etc/docker/daemon.json', '{"labels": ["gpu=yes"], "features": {"cdi": false}}');
}
if (scenario === 'refusing') {
  renameSync('/usr/local/bin/dockerd', '/usr/local/bin/dockerd.real');
  const refuse =
    'grep -qs containerd-snapshotter /etc/docker/daemon.json && { echo "no such store" >&2; exit 1; }';
  writeFileSync('/usr/local/bin/dockerd', `#!/bin/bash\n${refuse}\nexec -a dockerd dockerd.real "$@"\n`, {
    mode: 0o755,
  });
}
const hadFolder = existsSync('/etc/docker');
await startEngine();
const installed = await phase('install');
const seen = {
  hadFolder,
  installed,
  versions: {
    engine: docker('version', '--format', '{{.Server.Version}}'),
    client: docker('version', '--format', '{{.Client.Version}}'),
    buildx: docker('buildx', 'version'),
    node: process.version,
    iptables: spawnSync('iptables', ['--version'], { encoding: 'utf8' }).stdout.trim(),
  },
  store: docker('info', '--format', '{{json .DriverStatus}}'),
  labels: docker('info', '--format', '{{json .Labels}}'),
  config: existsSync('/etc/docker/daemon.json') ? readFileSync('/etc/docker/daemon.json', 'utf8') : null,
  listens: await fetch('http://127.0.0.1:2375/_ping').then(
    (answer) => answer.status,
    () => 0,
  ),
  build: scenario === 'configured' ? undefined : await buildTwice(),
};
process.stdout.write(`\n${JSON.stringify(seen)}\n`);
process.exit(0);

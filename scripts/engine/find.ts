/** Finds a container engine that answers, and a command that can build with it. Changes nothing on the machine. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run, succeeds } from '../command.ts';

export interface FoundEngine {
  /** `unix:///…` or `tcp://…`, as in `DOCKER_HOST`. */
  host: string;
  version: string;
}

export interface Discovery {
  engine?: FoundEngine;
  /** Sockets that exist but may not be opened by this user. */
  forbidden: string[];
  /** Addresses where Podman answers: it has no BuildKit, whose options builds use. */
  podman: string[];
}

type Address = { socketPath: string } | { host: string; port: number };

/** `unix://` sockets, and `tcp://` without TLS: the engine must be on this machine, or share its network. */
function addressOf(host: string): Address | undefined {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (!host.startsWith('tcp://') || !URL.canParse(host)) return undefined;
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375) };
}

/** Where engines listen, the user's own choice first. */
async function candidateHosts(): Promise<string[]> {
  const chosen = process.env.DOCKER_HOST;
  if (chosen) return [chosen];
  const runtime = process.env.XDG_RUNTIME_DIR;
  const home = homedir();
  const sockets = [
    ...(await contextHost()),
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(home, '.docker/run/docker.sock'),
    join(home, '.colima/default/docker.sock'),
    '/run/podman/podman.sock',
    ...(runtime ? [join(runtime, 'podman/podman.sock')] : []),
  ];
  return [...new Set(sockets.map((one) => (one.includes('://') ? one : `unix://${one}`)))];
}

/** The engine of the current Docker context, which is what `docker` on the command line talks to. */
async function contextHost(): Promise<string[]> {
  for (const cli of commandsOnPath('docker')) {
    try {
      const host = await run(cli, ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], {
        timeoutSeconds: 5,
      });
      return host.trim() === '' ? [] : [host.trim()];
    } catch {
      // A client too old for contexts, or a broken one: the usual sockets are tried all the same.
    }
  }
  return [];
}

/** Asks an engine who it is. Undefined where nobody answers as one; one that is busy may take a while. */
function identify(address: Address): Promise<{ podman: boolean; version: string } | undefined> {
  return new Promise((resolve) => {
    const asking = request({ ...address, path: '/version', timeout: 20_000 }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      answer.on('end', () => {
        try {
          const version = JSON.parse(body) as { Version?: string; Components?: { Name?: string }[] };
          const podman = version.Components?.some((one) => one.Name === 'Podman Engine') === true;
          resolve({ podman, version: version.Version ?? 'unknown' });
        } catch {
          // Something else listens there.
          resolve(undefined);
        }
      });
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(undefined));
    asking.end();
  });
}

/** The first engine that answers, and why the others don't. */
export async function findEngine(): Promise<Discovery> {
  const discovery: Discovery = { forbidden: [], podman: [] };
  for (const host of await candidateHosts()) {
    const address = addressOf(host);
    if (address && 'socketPath' in address) {
      if (!existsSync(address.socketPath)) continue;
      if (!mayOpen(address.socketPath)) {
        discovery.forbidden.push(address.socketPath);
        continue;
      }
    }
    const found = address && (await identify(address));
    if (found?.podman) discovery.podman.push(host);
    else if (found) return { ...discovery, engine: { host, version: found.version } };
  }
  return discovery;
}

function mayOpen(socketPath: string): boolean {
  try {
    accessSync(socketPath, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    // Its permissions say no, which is the answer.
    return false;
  }
}

/** Every executable of this name on the search path, in order. */
export function commandsOnPath(name: string): string[] {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/sbin'];
  const found = directories
    .filter((directory) => directory !== '' && existsSync(directory) && readdirSync(directory).includes(name))
    .map((directory) => join(directory, name));
  return [...new Set(found)];
}

/**
 * A command line client that really builds with this engine by BuildKit: cache and secret mounts need it. A newer Docker client without its buildx component is there but can't, so each one is tried with
 * a build of an empty image.
 */
export async function findBuildCommand(engine: FoundEngine): Promise<string | undefined> {
  const chosen = process.env.SLIPWAY_DOCKER;
  const candidates = chosen ? [chosen] : commandsOnPath('docker');
  for (const cli of candidates) if (await canBuild(cli, engine)) return cli;
  return undefined;
}

async function canBuild(cli: string, engine: FoundEngine): Promise<boolean> {
  const env = { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '1' };
  const tag = `slipway-probe:${process.pid}`;
  const built = await succeeds(cli, ['build', '-q', '-t', tag, '-'], {
    env,
    input: 'FROM scratch\nLABEL org.opencontainers.image.title="Slipway probe"\n',
    timeoutSeconds: 60,
  });
  if (built) await succeeds(cli, ['rmi', tag], { env });
  return built;
}

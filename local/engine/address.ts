/** Where the container engine listens. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** How to reach an engine: a Unix socket, or a host and port (with a client certificate folder where TLS is asked for). */
export type EngineAddress =
  | { kind: 'unix'; socketPath: string }
  | { kind: 'tcp'; host: string; port: number; certificateFolder?: string };

class EngineAddressError extends Error {
  override name = 'EngineAddressError';
}

/**
 * The engine's address by the rules of Docker's own client: `DOCKER_HOST` (`unix://` or `tcp://`, with
 * `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`), else the first usual socket that exists.
 * Throws `EngineAddressError` for an address it can't use (such as `ssh://`).
 */
export function engineAddress(env: NodeJS.ProcessEnv): EngineAddress {
  const host = env.DOCKER_HOST;
  if (host === undefined || host === '') return { kind: 'unix', socketPath: usualSocket(env) };
  if (host.startsWith('unix://')) return { kind: 'unix', socketPath: host.slice('unix://'.length) };
  if (!host.startsWith('tcp://') || !URL.canParse(host))
    throw new EngineAddressError(
      `DOCKER_HOST=${host} is not supported. Set it to a unix:// or tcp:// address.`,
    );
  const url = new URL(host);
  const secure = (env.DOCKER_TLS_VERIFY ?? '') !== '';
  return {
    kind: 'tcp',
    host: url.hostname,
    port: Number(url.port || (secure ? 2376 : 2375)),
    ...(secure && { certificateFolder: env.DOCKER_CERT_PATH ?? join(homedir(), '.docker') }),
  };
}

/** The address as `DOCKER_HOST` spells it, for child processes that must reach the same engine. */
export function dockerHost(address: EngineAddress): string {
  return address.kind === 'unix' ? `unix://${address.socketPath}` : `tcp://${address.host}:${address.port}`;
}

function usualSocket(env: NodeJS.ProcessEnv): string {
  const docker = '/var/run/docker.sock';
  const runtime = env.XDG_RUNTIME_DIR;
  const candidates = [
    docker,
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.colima/default/docker.sock'),
  ];
  return candidates.find((path) => existsSync(path)) ?? docker;
}

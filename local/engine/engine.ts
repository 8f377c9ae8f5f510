/**
 * A small client of the container Engine API: what running jobs in containers needs.
 * Paths carry no API version, so every engine answers in its own.
 */
import { dockerHost, type EngineAddress } from './address.ts';
import { chunksOf, connect, EngineError } from './connection.ts';
import { type ContainerLogBatch, logLineReader } from './log-frames.ts';

export interface ContainerSpec {
  Image: string;
  Cmd?: string[];
  Env?: string[];
  User?: string;
  Labels?: Record<string, string>;
  HostConfig?: Record<string, unknown>;
}

export interface ContainerState {
  Status: string;
  Running: boolean;
  OOMKilled: boolean;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
}

interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  State: string;
  Labels: Record<string, string>;
}

interface EngineInfo {
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  Runtimes?: Record<string, unknown>;
  OperatingSystem?: string;
}

export interface RegistryLogin {
  username: string;
  password: string;
  serveraddress: string;
}

export interface Engine {
  /** As `DOCKER_HOST` spells it. */
  readonly host: string;
  version(): Promise<{ Version: string; ApiVersion: string }>;
  info(): Promise<EngineInfo>;
  /** Pulls an image; resolves once it is there. Throws `EngineError` with the engine's own words. */
  pull(reference: string, login?: RegistryLogin, signal?: AbortSignal): Promise<void>;
  /** Undefined where the engine has no such image. */
  inspectImage(reference: string): Promise<{ Id: string; RepoDigests?: string[] } | undefined>;
  /** Creates a container under a name that no other has; returns its id. */
  create(name: string, spec: ContainerSpec): Promise<string>;
  start(id: string): Promise<void>;
  /** Resolves with the exit code when the container has stopped, at once if it already has. */
  wait(id: string, signal?: AbortSignal): Promise<number>;
  /** Undefined where there is no such container. */
  inspect(id: string): Promise<{ Id: string; State: ContainerState } | undefined>;
  /** SIGTERM, and SIGKILL after `graceSeconds`; resolves when it has stopped. A stopped or missing one is fine. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Removes a container, running or not, with its anonymous volumes. A missing one is fine. */
  remove(id: string): Promise<void>;
  /** Removes an image's name, and the image with its last one. One that is missing, or in use, is fine. */
  removeImage(reference: string): Promise<void>;
  /** Every container, running or not, that has all these labels; without a value, any value will do. */
  list(labels: Record<string, string | undefined>): Promise<ContainerSummary[]>;
  /**
   * The lines written since `since` (inclusive, nanoseconds since 1970), in batches as they come; ends when the container
   * has stopped. While it stops, the engine may end the stream before the last entries: a `rest` is whole only where the
   * container had stopped before.
   */
  followLog(id: string, since?: bigint, signal?: AbortSignal): AsyncGenerator<ContainerLogBatch>;
  close(): void;
}

/** An engine that is asked on first use, not before. */
export function createEngine(address: EngineAddress): Engine {
  const connection = connect(address);
  const container = (id: string, action = '') => `/containers/${encodeURIComponent(id)}${action}`;

  return {
    host: dockerHost(address),
    version: () => connection.json('GET', '/version'),
    info: () => connection.json('GET', '/info'),

    async pull(reference, login, signal) {
      const { name, tagOrDigest } = splitReference(reference);
      const answer = await connection.open('POST', '/images/create', {
        query: { fromImage: name, tag: tagOrDigest },
        ...(login && { headers: { 'x-registry-auth': encodeLogin(login) } }),
        ...(signal && { signal }),
      });
      for await (const progress of jsonLines(chunksOf(answer))) {
        const failure = (progress as { error?: string }).error;
        if (failure !== undefined) throw new EngineError(failure, 500);
      }
    },

    inspectImage: (reference) =>
      found(connection.json<{ Id: string }>('GET', `/images/${encodeURI(reference)}/json`)),

    async create(name, spec) {
      const created = await connection.json<{ Id: string }>('POST', '/containers/create', {
        query: { name },
        body: spec,
      });
      return created.Id;
    },

    start: (id) => connection.json('POST', container(id, '/start')),

    async wait(id, signal) {
      const outcome = await connection.json<{ StatusCode: number }>('POST', container(id, '/wait'), {
        ...(signal && { signal }),
      });
      return outcome.StatusCode;
    },

    inspect: (id) => found(connection.json('GET', container(id, '/json'))),

    async stop(id, graceSeconds) {
      await found(connection.json('POST', container(id, '/stop'), { query: { t: String(graceSeconds) } }));
    },

    async remove(id) {
      const removing = connection.json('DELETE', container(id), { query: { force: 'true', v: 'true' } });
      await found(removing).catch((error: unknown) => {
        // 409 says that its removal is already under way.
        if (!(error instanceof EngineError && error.status === 409)) throw error;
      });
    },

    async removeImage(reference) {
      const removing = connection.json('DELETE', `/images/${encodeURI(reference)}`);
      await found(removing).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.status === 409)) throw error;
      });
    },

    list: (labels) =>
      connection.json('GET', '/containers/json', {
        query: {
          all: 'true',
          filters: JSON.stringify({
            label: Object.entries(labels).map(([key, value]) =>
              value === undefined ? key : `${key}=${value}`,
            ),
          }),
        },
      }),

    async *followLog(id, since, signal) {
      const answer = await connection.open('GET', container(id, '/logs'), {
        query: {
          follow: 'true',
          stdout: 'true',
          stderr: 'true',
          timestamps: 'true',
          since: epochSeconds(since),
        },
        ...(signal && { signal }),
      });
      const reader = logLineReader();
      for await (const chunk of chunksOf(answer)) yield reader.read(chunk);
      yield reader.end();
    },

    close: () => connection.close(),
  };
}

/** Turns the engine's 404 into undefined. */
async function found<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

function splitReference(reference: string): { name: string; tagOrDigest: string } {
  const at = reference.indexOf('@');
  if (at > 0) return { name: reference.slice(0, at), tagOrDigest: reference.slice(at + 1) };
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  if (colon > 0) return { name: reference.slice(0, colon), tagOrDigest: reference.slice(colon + 1) };
  return { name: reference, tagOrDigest: 'latest' };
}

/** URL-safe, but with its padding: without it older engines take the header for none at all. */
const encodeLogin = (login: RegistryLogin) =>
  Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** The engine takes `since` as seconds with nine decimals, which a double can't hold. */
function epochSeconds(nanoseconds: bigint | undefined): string | undefined {
  if (nanoseconds === undefined) return undefined;
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
}

async function* jsonLines(source: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}

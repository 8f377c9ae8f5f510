/**
 * Makes sure that a container engine answers and can build. Looks first; where there is none, starts the installed
 * one or installs Debian's, if this user may. Never stops, changes or removes an engine that was there.
 */
import { resolve } from 'node:path';
import { type Discovery, type FoundEngine, findBuildCommand, findEngine } from './engine/find.ts';
import { engineInstalled, hasApt, installEngine, isRoot, startEngine } from './engine/install.ts';
import { ask, type Detail, task } from './progress.ts';

export interface Engine extends FoundEngine {
  /** The client to build and push with. Its environment needs `DOCKER_BUILDKIT=1`. */
  cli: string;
  /** The engine's process, if this call started it as one of its own; it is left running. */
  startedPid?: number;
}

export interface EngineOptions {
  /** Install without asking. Without a terminal nobody can be asked, so that is the same. */
  yes?: boolean;
  /** State directory, for the log of an engine that is started here. */
  home?: string;
}

/** No engine, and none could be had; the message is one line which says what to do. */
export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
}

/**
 * Finds or makes an engine and sets `DOCKER_HOST`, `DOCKER_BUILDKIT` and `SLIPWAY_DOCKER` (the client to use) for
 * this process and its children. Throws `EngineUnavailableError`.
 */
export async function ensureEngine(options: EngineOptions = {}): Promise<Engine> {
  const engine = await task(
    'engine',
    async (detail) => {
      const discovery = await findEngine();
      const started = discovery.engine
        ? { engine: discovery.engine }
        : await obtain(discovery, options, detail);
      const cli =
        (await findBuildCommand(started.engine)) ??
        (await obtainBuildCommand(started.engine, options, detail));
      const found: Engine = { ...started.engine, cli };
      if (started.pid !== undefined) found.startedPid = started.pid;
      return found;
    },
    (found) =>
      `Docker ${found.version}, ${found.cli}${found.startedPid === undefined ? '' : `, started (process ${found.startedPid})`}`,
  );
  process.env.DOCKER_HOST = engine.host;
  process.env.DOCKER_BUILDKIT = '1';
  process.env.SLIPWAY_DOCKER = engine.cli;
  return engine;
}

async function obtain(
  discovery: Discovery,
  options: EngineOptions,
  detail: Detail,
): Promise<{ engine: FoundEngine; pid?: number }> {
  const chosen = process.env.DOCKER_HOST;
  const [forbidden] = discovery.forbidden;
  if (forbidden)
    throw new EngineUnavailableError(
      `This user may not use the container engine's socket ${forbidden}. Run sudo usermod -aG docker $USER, then log in again.`,
    );
  if (chosen && discovery.podman.length > 0)
    throw new EngineUnavailableError(
      `Podman answers at DOCKER_HOST=${chosen}, but builds need BuildKit, which is Docker's. Name a Docker engine, or unset DOCKER_HOST.`,
    );
  if (chosen)
    throw new EngineUnavailableError(
      `No container engine answers at DOCKER_HOST=${chosen} (unix:// and tcp:// without TLS will do). Start it, or unset DOCKER_HOST.`,
    );
  if (!isRoot()) throw new EngineUnavailableError(adviceForUsers(discovery));
  if (!engineInstalled()) {
    if (!hasApt())
      throw new EngineUnavailableError('No container engine answers. Install Docker and start it.');
    await agreeTo("No container engine answers. Install Debian's docker.io package now?", options);
    await installEngine(detail);
  }
  return startEngine(resolve(options.home ?? '.slipway'), detail);
}

const adviceForUsers = ({ podman }: Discovery): string => {
  if (engineInstalled())
    return 'Docker is installed but not running. Start it as root: sudo systemctl start docker';
  const found =
    podman.length > 0
      ? "Podman answers, but builds need BuildKit, which is Docker's."
      : 'No container engine answers.';
  return hasApt()
    ? `${found} Installing one needs root: sudo apt-get install docker.io, then sudo usermod -aG docker $USER, and log in again.`
    : `${found} Install Docker and start it.`;
};

async function obtainBuildCommand(
  engine: FoundEngine,
  options: EngineOptions,
  detail: Detail,
): Promise<string> {
  const chosen = process.env.SLIPWAY_DOCKER;
  if (!chosen && isRoot() && hasApt()) {
    await agreeTo(
      "The engine runs, but no client here can build with BuildKit. Install Debian's now?",
      options,
    );
    await installEngine(detail);
    const cli = await findBuildCommand(engine);
    if (cli) return cli;
  }
  throw new EngineUnavailableError(
    chosen
      ? `SLIPWAY_DOCKER=${chosen} can't build with the engine at ${engine.host}. Unset it, or name one that can.`
      : `The engine at ${engine.host} runs, but no client here can build with BuildKit. Install the docker-buildx package (Docker's own: docker-buildx-plugin).`,
  );
}

/** Asks on a terminal. Without one, or with `yes`, goes ahead. */
async function agreeTo(question: string, options: EngineOptions): Promise<void> {
  const answer = options.yes ? undefined : await ask(`${question} [Y/n] `);
  if (answer === undefined || /^\s*(y|yes|)\s*$/i.test(answer)) return;
  throw new EngineUnavailableError('Slipway needs Docker. It installed nothing.');
}

if (import.meta.main) {
  try {
    await ensureEngine({ yes: process.argv.includes('--yes'), home: process.env.SLIPWAY_HOME });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

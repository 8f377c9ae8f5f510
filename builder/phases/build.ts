/** Builds the image into the engine of this host. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clippedIn, unclippedLogs } from '../../shared/build/engine-log.ts';
import type { BuildSpec } from '../../shared/model/build-spec.ts';
import { baseLocations } from '../bases.ts';
import { BuildError } from '../build-error.ts';
import { buildArguments } from '../command.ts';
import { createDocker } from '../docker.ts';
import type { Environment } from '../environment.ts';
import { BuildProgress } from '../failure/progress.ts';
import { blockedPackets, shieldHost, unshieldHost } from '../host/firewall.ts';
import { reachBases } from '../other-accounts.ts';
import { say, shown } from '../output.ts';
import { createImageWatch } from '../resolved-images.ts';
import { type State, saveState, secretPath, type Work } from '../work.ts';

export async function build(environment: Environment, work: Work, state: State<BuildSpec>): Promise<void> {
  const { spec, client } = state;
  const started = performance.now();
  const progress = new BuildProgress(spec.context !== undefined);
  const { buildArgs, withOwnNames, stop } = await reachBases(spec, work);
  const args = buildArguments({
    cacheMode: state.cacheMode,
    dockerfile: work.dockerfile,
    context: work.context,
    uri: spec.target,
    buildArgs,
    ...(environment.BUILDER_HOST === 'shared' ? { organisation: spec.organisation } : {}),
    secrets: spec.secrets.map(({ id }) => ({ id, path: secretPath(work, id) })),
    cache: spec.cache,
    cacheExists: state.cacheExists,
    cacheKept: spec.push !== false,
  });
  const docker = createDocker(client, work.docker.config);
  const clippedSteps = new Set<string>();
  const images = createImageWatch(baseLocations(spec).map(({ location }) => location));
  const stopping = new AbortController();
  const onLine = (raw: string) => {
    const line = withOwnNames(shown(raw));
    // The digests that older engines give their steps say nothing to anybody.
    if (/^#\d+ sha256:[0-9a-f]{64}$/.test(line)) return;
    progress.take(line);
    process.stdout.write(`${line}\n`);
    if (!images.take(line)) stopping.abort();
    const clipped = clippedIn(line);
    if (clipped && !clippedSteps.has(clipped.step)) {
      clippedSteps.add(clipped.step);
      say(
        `some lines of step #${clipped.step} are missing here, because this engine keeps at most ${clipped.limit} of a step. To keep every line, start dockerd with ${unclipped} in its environment`,
      );
    }
  };
  let exitCode: number;
  try {
    const run = () => shielded(environment, () => docker.run(args, onLine, stopping.signal));
    exitCode = await besideOthers(environment, spec.target, run);
  } finally {
    await stop();
    await rm(join(work.secrets, 'mounts'), { recursive: true, force: true });
  }
  state.timingsMs.build = Math.round(performance.now() - started);
  await saveState(work, state);
  const unexpected = images.failure();
  if (unexpected) throw new BuildError(unexpected);
  if (exitCode !== 0) throw new BuildError(progress.failure());
}

async function besideOthers<T>(
  { BUILDER_HOST }: Environment,
  target: string,
  run: () => Promise<T>,
): Promise<T> {
  if (BUILDER_HOST === 'dedicated') return run();
  const { sharedFolder, whileBuilding } = await import('../shared-images.ts');
  return whileBuilding(sharedFolder(), target, run);
}

const unclipped = Object.entries(unclippedLogs())
  .map(([name, value]) => `${name}=${value}`)
  .join(' ');

async function shielded<T>({ BUILDER_HOST }: Environment, work: () => Promise<T>): Promise<T> {
  if (BUILDER_HOST !== 'dedicated') return work();
  await shieldHost();
  try {
    return await work();
  } finally {
    // The counters go with the rules.
    const blocked = await blockedPackets().catch((error: Error) => error.message);
    await unshieldHost();
    say(`blocked packets to metadata addresses: ${blocked}`);
  }
}

/** Builds the image into the engine of this host. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pinArgs } from '../../shared/dockerfile/bases.ts';
import type { BuildSpec } from '../../shared/model/build-spec.ts';
import { BuildError } from '../build-error.ts';
import { buildArguments } from '../command.ts';
import { createDocker } from '../docker.ts';
import type { Environment } from '../environment.ts';
import { BuildProgress } from '../failure.ts';
import { shieldHost, unshieldHost } from '../host.ts';
import { shown } from '../output.ts';
import { type State, saveState, secretPath, type Work } from '../work.ts';

export async function build(environment: Environment, work: Work, state: State<BuildSpec>): Promise<void> {
  const { spec, client } = state;
  const started = performance.now();
  const progress = new BuildProgress();
  const args = buildArguments({
    cacheMode: state.cacheMode,
    dockerfile: work.dockerfile,
    context: work.context,
    uri: spec.target,
    buildArgs: pinArgs(spec.buildArgs, spec.bases),
    secrets: spec.secrets.map(({ id }) => ({ id, path: secretPath(work, id) })),
    cache: spec.cache,
    cacheExists: state.cacheExists,
    cacheKept: spec.push !== false,
  });
  const dedicated = environment.BUILDER_HOST === 'dedicated';
  if (dedicated) await shieldHost();
  let exitCode: number;
  try {
    exitCode = await createDocker(client, work.docker.config).run(args, (raw) => {
      const line = shown(raw);
      // The digests that older engines give their steps say nothing to anybody.
      if (/^#\d+ sha256:[0-9a-f]{64}$/.test(line)) return;
      progress.take(line);
      process.stdout.write(`${line}\n`);
    });
  } finally {
    if (dedicated) await unshieldHost();
    await rm(join(work.secrets, 'mounts'), { recursive: true, force: true });
  }
  state.timingsMs.build = Math.round(performance.now() - started);
  await saveState(work, state);
  if (exitCode !== 0) throw new BuildError(progress.failure());
}

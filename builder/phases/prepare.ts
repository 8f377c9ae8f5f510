/** Fetches everything that the build needs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allInOrder } from '../../shared/concurrency/all-in-order.ts';
import { type BuildSpec, jobSpecSchema } from '../../shared/model/build-spec.ts';
import type { ImageLocation } from '../../shared/registry/reference.ts';
import type { Aws } from '../aws.ts';
import { requireBases } from '../bases.ts';
import { BuildError } from '../build-error.ts';
import { cacheModeOf } from '../cache-mode.ts';
import { fetchContext } from '../context.ts';
import { fetchCredentials, writeDockerConfig } from '../credentials.ts';
import { createDocker, findDocker } from '../docker.ts';
import type { Environment } from '../environment.ts';
import { requireHeredocs } from '../heredocs.ts';
import { inOrder } from '../in-order.ts';
import { configFor, logInOthers } from '../other-accounts.ts';
import { say } from '../output.ts';
import { createRegistryView } from '../pushed.ts';
import { networkOf, trustAuthorities } from '../registries.ts';
import { requireTarget } from '../target.ts';
import { createWork, type State, saveState, secretPath, type Work } from '../work.ts';

/** `onSpec` hears of the spec as soon as it is known: a failure after that can be reported. */
export async function prepare(
  environment: Environment,
  work: Work,
  aws: Aws,
  onSpec: (state: State) => void,
): Promise<void> {
  const started = performance.now();
  await createWork(work);
  const spec = jobSpecSchema.parse(JSON.parse(await aws.readText(environment.SLIPWAY_SPEC)));
  const state: State = {
    spec,
    client: '',
    cacheExists: false,
    cacheMode: environment.BUILDER_CACHE_MODE,
    timingsMs: {},
  };
  onSpec(state);
  if (spec.kind === 'mirror') return saveState(work, state);
  await trustAuthorities(environment, spec);
  if (spec.kind === 'validation') {
    const { fetchImage } = await import('../validation/fetch-image.ts');
    return fetchImage(work, { ...state, spec }, aws);
  }
  say(`build ${spec.buildId} of ${spec.target}`);
  const loggedInAt = new Date().toISOString();
  // The context comes last: it may be large, and nothing else waits for it in vain.
  const [client, , { cacheExists, digests }] = await inOrder([
    () => findDocker(),
    () => fetchSecrets(spec, work, aws),
    (signal) => logIn(spec, environment, work, aws, signal),
    (signal) => fetchContext(spec, work, aws, signal),
  ]);
  const docker = createDocker(client, work.docker.config);
  const [cacheMode] = await allInOrder([cacheModeOf(environment, docker), requireHeredocs(spec, docker)]);
  const bases = { ...spec.bases, ...digests };
  Object.assign(state, { client, cacheExists, cacheMode, loggedInAt, spec: { ...spec, bases } });
  state.timingsMs.prepare = Math.round(performance.now() - started);
  await saveState(work, state);
}

/**
 * Answers whether the repository has a layer cache, and the digests of bases that weren't known: the credentials' first
 * use. Bases that aren't for them end the build here, as does a target that can't be pushed to, before anybody waits for what goes nowhere.
 */
async function logIn(
  spec: BuildSpec,
  { BUILDER_HOST }: Environment,
  work: Work,
  aws: Aws,
  signal: AbortSignal,
): Promise<{ cacheExists: boolean; digests: Record<string, string> }> {
  await allInOrder([
    fetchCredentials(spec.registries, aws).then((found) => writeDockerConfig(work.docker.config, found)),
    logInOthers(spec, work, aws),
  ]);
  const network = networkOf(spec);
  const registry = createRegistryView(work.docker.config, network);
  // Of its own, to be closed as soon as the target isn't waited for any more.
  const toTarget = networkOf(spec);
  const viewOf = (base: ImageLocation) => createRegistryView(configFor(spec, work, base), network);
  const [cacheExists, digests] = await inOrder([
    () => registry.has(spec.cache),
    () => requireBases(spec, viewOf, BUILDER_HOST),
    (refused) =>
      requireTarget(spec, createRegistryView(work.docker.config, toTarget), {
        host: BUILDER_HOST,
        signal: AbortSignal.any([signal, refused]),
      }).finally(() => toTarget.close()),
  ]);
  return { cacheExists, digests };
}

/** A file for each secret, which only the step that mounts it will see. */
async function fetchSecrets({ secrets }: BuildSpec, work: Work, aws: Aws): Promise<void> {
  if (secrets.length === 0) return;
  await mkdir(join(work.secrets, 'mounts'), { recursive: true, mode: 0o700 });
  await allInOrder(
    secrets.map(async ({ id, secretArn, versionId }) => {
      const value = await aws.secretValue(secretArn, versionId);
      if (value === undefined)
        throw new BuildError({
          code: 'secret-missing',
          message: `The secret for the mount "${id}" no longer exists, or the builder may not read it.`,
        });
      await writeFile(secretPath(work, id), value, { mode: 0o600 });
    }),
  );
}

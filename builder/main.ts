/**
 * What runs inside CodeBuild: one phase of a build, named by the first argument. Each phase is a process of its own;
 * whatever goes wrong in one is written as the build's result before it ends.
 */
import { type BuildResult, endOfLog } from '../shared/model/build-spec.ts';
import { type Aws, createAws } from './aws.ts';
import { BuildError } from './build-error.ts';
import { createDocker } from './docker.ts';
import { say } from './output.ts';
import { build } from './phases/build.ts';
import { install } from './phases/install.ts';
import { prepare } from './phases/prepare.ts';
import { push } from './phases/push.ts';
import {
  type Environment,
  environmentSchema,
  loadState,
  removeWork,
  type State,
  saveState,
  type Work,
  workOf,
} from './work.ts';

const environment = environmentSchema.parse(process.env);
const work = workOf(environment);
process.exitCode = await run(process.argv[2] ?? '', environment, work);

async function run(phase: string, environment: Environment, work: Work): Promise<number> {
  const aws = createAws(environment.ARTIFACTS_BUCKET);
  let state: State | undefined;
  // A stop: the client of the engine gets the signal too, and gives up what it was doing.
  process.once('SIGTERM', () => void clean(work, state).finally(() => process.exit(143)));
  try {
    if (phase === 'install') await install(environment);
    else if (phase === 'prepare') await prepare(environment, work, aws, (known) => void (state = known));
    else {
      state = await loadState(work);
      if (!state) throw new Error('the phase before left nothing');
      if (phase === 'build') await build(environment, work, state);
      else if (phase === 'push') await finish(environment, work, state, aws);
      else throw new Error(`there is no phase "${phase}"`);
    }
    return 0;
  } catch (error) {
    await report(error, phase, work, state, aws);
    if (phase === 'prepare') await end(work, state);
    return 1;
  }
}

/** The last phase: it runs after a failed build as well, which then has its result already. */
async function finish(environment: Environment, work: Work, state: State, aws: Aws): Promise<void> {
  try {
    if (state.published) return;
    if (environment.CODEBUILD_BUILD_SUCCEEDING === '0') throw new Error('the build ended without a word');
    await publish(await push(environment, work, state), work, state, aws);
  } catch (error) {
    await report(error, 'push', work, state, aws);
    process.exitCode = 1;
    throw error;
  } finally {
    await end(work, state);
  }
}

async function report(
  error: unknown,
  phase: string,
  work: Work,
  state: State | undefined,
  aws: Aws,
): Promise<void> {
  const failure =
    error instanceof BuildError
      ? error.failure
      : { code: 'builder-failed' as const, message: `${phase}: ${(error as Error).message}` };
  if (state?.published) return;
  say(`failed: ${failure.code}: ${failure.message}`);
  // Without a spec nobody knows where the result belongs; the build ends as the builder's failure.
  if (!state) return;
  await publish({ outcome: 'failed', failure, timingsMs: state.timingsMs }, work, state, aws);
}

async function publish(result: BuildResult, work: Work, state: State, aws: Aws): Promise<void> {
  await aws.writeText(state.spec.resultKey, JSON.stringify(result));
  state.published = true;
  await saveState(work, state);
}

async function end(work: Work, state: State | undefined): Promise<void> {
  await clean(work, state);
  process.stdout.write(`${endOfLog}\n`);
}

/** Takes back what this build made: its tag in the engine and its folder. The engine's layer cache stays. */
async function clean(work: Work, state: State | undefined): Promise<void> {
  if (state?.client) await createDocker(state.client, work.docker.config).run(['rmi', state.spec.target.uri], () => undefined);
  await removeWork(work);
}

/**
 * What runs inside CodeBuild: one phase of a build, named by the first argument. Each phase is a process of its own,
 * which loads only what it needs; whatever goes wrong in one is written as the build's result before it ends.
 */

import type { BuildResult } from '../shared/model/build-spec.ts';
import { endOfLog } from '../shared/model/end-of-log.ts';
import { withAccount } from './accounts.ts';
import type { Aws } from './aws.ts';
import { BuildError } from './build-error.ts';
import { createDocker } from './docker.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { say } from './output.ts';
import { loadState, removeWork, type State, saveState, type Work, workOf } from './work.ts';

interface Run {
  phase: string;
  environment: Environment;
  work: Work;
  aws: () => Promise<Aws>;
  state?: State;
  /** A result that is certain already is being written: it may not be lost to a stop. */
  writing?: Promise<void>;
  /** The image's tag in the engine is gone. */
  untagged?: boolean;
}

/** A build that was stopped or failed may still be ending. */
const endingMs = 3000;

const environment = readEnvironment(process.env);
process.exitCode = await run({
  phase: process.argv[2] ?? '',
  environment,
  work: workOf(environment),
  aws: async () => (await import('./aws.ts')).createAws(environment.ARTIFACTS_BUCKET),
});

async function run(current: Run): Promise<number> {
  // A stop: the client of the engine gets the signal too, and gives up what it was doing.
  process.once(
    'SIGTERM',
    () => void Promise.allSettled([current.writing, clean(current)]).then(() => process.exit(143)),
  );
  let failed = false;
  try {
    await perform(current);
  } catch (error) {
    failed = true;
    await report(error, current);
  }
  // After a failed build CodeBuild still runs the last phase; after any other failure it runs none.
  if (current.phase === 'push' || (failed && current.phase !== 'build')) {
    await clean(current);
    process.stdout.write(`${endOfLog}\n`);
  }
  return failed ? 1 : 0;
}

async function perform(current: Run): Promise<void> {
  const { phase, environment, work } = current;
  if (phase === 'install') {
    const { install } = await import('./phases/install.ts');
    return install(environment);
  }
  if (phase === 'prepare') {
    const { prepare } = await import('./phases/prepare.ts');
    return prepare(environment, work, await current.aws(), (state) => {
      current.state = state;
    });
  }
  const state = await loadState(work);
  if (!state) throw new Error('the previous phase left no state');
  current.state = state;
  if (phase === 'build') return doWork(current, state);
  if (phase !== 'push') throw new Error(`there is no phase "${phase}"`);
  if (state.published) return;
  if (environment.CODEBUILD_BUILD_SUCCEEDING === '0') throw new Error('the build ended without output');
  const result = await finish(current, state);
  await Promise.all([publish(result, current, state), untag(current)]);
}

/** The phase in which the work is done, whatever kind of job it is. */
async function doWork({ environment, work, aws }: Run, state: State): Promise<void> {
  const { spec } = state;
  if (spec.kind === 'mirror') {
    const { copyImage } = await import('./mirror/mirror.ts');
    return copyImage(work, { ...state, spec }, aws).then(() => saveState(work, state));
  }
  if (spec.kind === 'validation') {
    const { validate } = await import('./validation/validate.ts');
    return validate(work, { ...state, spec });
  }
  const { build } = await import('./phases/build.ts');
  return build(environment, work, { ...state, spec });
}

/** The phase after which there is a result. */
async function finish(current: Run, state: State): Promise<BuildResult> {
  const { environment, work, aws } = current;
  const { spec } = state;
  if (spec.kind === 'mirror') {
    const { tagImage } = await import('./mirror/mirror.ts');
    return tagImage(work, { ...state, spec }, aws);
  }
  if (spec.kind === 'validation') {
    const { resultOf } = await import('./validation/validate.ts');
    return resultOf(work, { ...state, spec });
  }
  if (spec.push === false) {
    say(notPushed(spec.target, environment));
    return { outcome: 'built', timingsMs: state.timingsMs };
  }
  const { push } = await import('./phases/push.ts');
  return push(work, { ...state, spec }, aws, (result) => {
    // Nothing that goes wrong from here on makes a failure of it.
    current.writing = write(result, current, state).then(
      () => {
        state.published = true;
      },
      (error: Error) => say(`writing the result again: ${error.message}`),
    );
    return current.writing;
  });
}

function notPushed(target: string, { BUILDER_HOST }: Environment): string {
  if (BUILDER_HOST === 'shared') return `built ${target} into this machine's engine without pushing it`;
  return `built ${target} as a check; nothing is kept`;
}

async function report(error: unknown, current: Run): Promise<void> {
  const { state } = current;
  const failure =
    error instanceof BuildError
      ? withAccount(error.failure, state?.spec)
      : { code: 'builder-failed' as const, message: `${current.phase}: ${(error as Error).message}` };
  say(`failed: ${failure.code}: ${failure.message}`);
  // Without a spec nobody knows where the result belongs: the build ends as the builder's failure.
  if (state && !state.published)
    await publish({ outcome: 'failed', failure, timingsMs: state.timingsMs }, current, state);
}

async function publish(result: BuildResult, current: Run, state: State): Promise<void> {
  await write(result, current, state);
  state.published = true;
  await saveState(current.work, state);
}

async function write(result: BuildResult, { aws }: Run, { spec }: State): Promise<void> {
  await (await aws()).writeText(spec.resultKey, JSON.stringify(result));
}

/** Takes back what this build made: its tag in the engine, and its folder. The engine's layer cache stays. */
async function clean(current: Run): Promise<void> {
  await untag(current, endingMs);
  await removeWork(current.work);
}

async function untag(current: Run, patienceMs = 0): Promise<void> {
  const { work, state, environment } = current;
  // B13: on somebody's own machine the image is theirs to use.
  if (state?.spec.kind === 'build' && state.spec.push === false && environment.BUILDER_HOST === 'shared')
    return;
  if (!state?.client || state.spec.kind !== 'build' || current.untagged) return;
  current.untagged = true;
  const docker = createDocker(state.client, work.docker.config);
  const remove = (tag: string) => docker.run(['rmi', tag], () => undefined);
  if (environment.BUILDER_HOST === 'dedicated') return void (await remove(state.spec.target));
  const { removeTag, sharedFolder } = await import('./shared-images.ts');
  await removeTag(sharedFolder(), state.spec.target, remove, patienceMs);
}

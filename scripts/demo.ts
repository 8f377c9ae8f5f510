/**
 * `npm run demo`: Slipway's main job on this machine, from nothing. Sets up what is missing, builds a Dockerfile,
 * pushes and mails, trains in the image, and shows a build that fails. Exit code 0 only if all of it happened.
 */
import { once } from 'node:events';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BaseImage, ensurePythonBase } from './base-image.ts';
import { createApi } from './demo/api.ts';
import type { Me } from './demo/resources.ts';
import { buildExample, launchExperiment, type Session, showRegistries, showTimeline } from './demo/steps.ts';
import { type Engine, ensureEngine } from './engine.ts';
import { ensureLocalCloud, type RunningCloud, stateDirectory } from './local-cloud.ts';
import { bold, duration, heading, say, task } from './progress.ts';

const interrupted = new AbortController();
/** Rejects some seconds after an interruption: time for a step to end what it started, such as the embedded cloud. */
const graceOver: Promise<never> = once(interrupted.signal, 'abort').then(async () => {
  await sleep(12_000);
  throw interrupted.signal.reason;
});
// Interrupted between two steps, nobody waits for it.
graceOver.catch(() => {});
const times: [what: string, milliseconds: number][] = [];

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  interrupted.signal.throwIfAborted();
  const started = performance.now();
  const value = await Promise.race([work(), graceOver]);
  times.push([what, performance.now() - started]);
  return value;
}

async function setUp(home: string): Promise<{ engine: Engine; running: RunningCloud }> {
  heading('Set-up');
  const engine = await timed('Container engine', () =>
    ensureEngine({ yes: process.argv.includes('--yes'), home }),
  );
  const running = await timed('Embedded cloud', () =>
    task(
      'cloud',
      (detail) => ensureLocalCloud(home, detail, interrupted.signal),
      ({ cloud, startedHere }) =>
        `${cloud.apiUrl}, ${startedHere ? 'started' : `running before (process ${cloud.pid})`}, state in ${here(home)}`,
    ),
  );
  return { engine, running };
}

const here = (path: string): string => relative(process.cwd(), path) || '.';

async function show(session: Session): Promise<void> {
  heading('Registries of this organisation');
  const registry = await showRegistries(session);

  heading('A build: examples/iris');
  const built = await timed('Build, push, mail', () => buildExample(session, registry, 'iris', 'succeeded'));
  say(`  image           ${built.image.uri}`);

  heading('An experiment in that image');
  const { experiment, metrics } = await timed('Experiment', () => launchExperiment(session, built.image));
  await showTimeline(session, `/v1/experiments/${experiment.id}`);

  heading('A build that fails: examples/failing');
  const failed = await timed('Failing build, mail', () =>
    buildExample(session, registry, 'failing', 'failed'),
  );
  say(`  failing step    ${failed.build.failure?.step ?? '(not named)'}`);
  say(`  its mail says\n${failed.mail.text.trim().replace(/^/gm, '    ')}`);
  if (failed.build.failure?.step === undefined)
    throw new Error(`Build ${failed.build.id} names no failing step`);

  heading('What happened');
  for (const [what, milliseconds] of times) say(`  ${what.padEnd(22)} ${duration(milliseconds).padStart(8)}`);
  say(`  ${bold(`accuracy of the trained model: ${metrics.get('accuracy')}`)}`);
  heading('Where to look');
  const { url } = session.api;
  say(`  image           ${built.image.uri}`);
  say(`                  ${built.image.digest}`);
  say(`  build log       ${url}/v1/builds/${built.build.id}/logs`);
  say(`  experiment log  ${url}/v1/experiments/${experiment.id}/logs`);
  say(`  mail            ${here(built.mail.path)}`);
  say(`  mail, failure   ${here(failed.mail.path)}`);
  say(
    '\n  All of it is kept: `npm start` brings it back, and prints the token that these addresses ask for.',
  );
}

async function main(): Promise<void> {
  const home = stateDirectory();
  const { engine, running } = await setUp(home);
  const session: Session = {
    api: createApi(running.cloud.apiUrl, running.cloud.token, interrupted.signal),
    home,
    base: { reference: '', origin: '' },
    underWay: new Set(),
  };
  try {
    const { organisation } = await session.api.get<Me>('/v1/me');
    session.base = await timed('Base image', () =>
      task<BaseImage>(
        'base image',
        (detail) => ensurePythonBase(engine, running.cloud, organisation.id, detail),
        (base) => `${base.reference}, ${base.origin}`,
      ),
    );
    await show(session);
  } finally {
    await stopWhatIsUnderWay(session, running);
    if (running.startedHere)
      await task(
        'cloud',
        () => running.stop(),
        () => 'stopped',
      );
  }
}

/** An interrupted demo leaves no build and no experiment running. */
async function stopWhatIsUnderWay({ api, underWay }: Session, { cloud }: RunningCloud): Promise<void> {
  const quick = createApi(api.url, cloud.token, AbortSignal.timeout(5000));
  for (const path of underWay)
    await quick.post(path).catch((error: Error) => say(`  could not stop it: ${error.message}`));
}

process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(130);
  say('\n  Interrupted: stopping what is under way (again to leave at once).');
  interrupted.abort();
});
process.on('SIGTERM', () => interrupted.abort());

try {
  await main();
} catch (error) {
  if (!interrupted.signal.aborted)
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
  // Not only the exit code: what an interrupted step still waits for must not hold the process.
  process.exit(interrupted.signal.aborted ? 130 : 1);
}

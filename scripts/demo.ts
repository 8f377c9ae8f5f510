/**
 * `npm run demo`: Slipway's main job on this machine, from nothing. Sets up what is missing, builds a Dockerfile,
 * pushes and mails, trains in the image, and shows a build that fails. Exit code 0 only if all of it happened.
 */
import { once } from 'node:events';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BaseImage, ensurePythonBase } from './base-image.ts';
import { createApi } from './demo/api.ts';
import type { Me } from './demo/resources.ts';
import { buildExample, launchExperiment, type Session, showRegistries } from './demo/steps.ts';
import { type Engine, ensureEngine } from './engine.ts';
import { ensureLocalCloud, type RunningCloud, stateDirectory } from './local-cloud.ts';
import { duration, heading, say, task } from './progress.ts';

/** Ends the process for what it doesn't know, before anything is installed or started. */
function readOptions(): { yes: boolean } {
  try {
    return parseArgs({ options: { yes: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : error}\nThe demo's only option is --yes: install a container engine without asking.`,
    );
    process.exit(2);
  }
}

const { yes } = readOptions();
const interrupted = new AbortController();
/** Rejects some seconds after an interruption: time for a step to end what it started, such as the embedded cloud. */
const graceOver: Promise<never> = once(interrupted.signal, 'abort').then(async () => {
  await sleep(12_000);
  throw interrupted.signal.reason;
});
// Interrupted between two steps, nobody waits for it.
graceOver.catch(() => {});
const done: { what: string; outcome: string; milliseconds: number }[] = [];

/** Runs a part of the demo and keeps what came of it for the table at the end. */
async function part<T>(what: string, work: () => Promise<T>, outcome: (value: T) => string): Promise<T> {
  interrupted.signal.throwIfAborted();
  const started = performance.now();
  const value = await Promise.race([work(), graceOver]);
  done.push({ what, outcome: outcome(value), milliseconds: performance.now() - started });
  return value;
}

async function setUp(home: string): Promise<{ engine: Engine; running: RunningCloud }> {
  heading('Set-up');
  const engine = await part(
    'Container engine',
    () => ensureEngine({ yes, home }),
    ({ version }) => `Docker ${version}`,
  );
  const start = () =>
    task(
      'cloud',
      (detail) => ensureLocalCloud(home, detail, interrupted.signal),
      ({ cloud, startedHere }) =>
        `${cloud.apiUrl}, ${startedHere ? 'started' : `runs already (process ${cloud.pid})`}, state in ${here(home)}`,
    );
  const running = await part('Embedded cloud', start, ({ startedHere }) =>
    startedHere ? 'started' : 'found',
  );
  return { engine, running };
}

async function baseImage(engine: Engine, { cloud }: RunningCloud, organisation: string): Promise<BaseImage> {
  const make = () =>
    task<BaseImage>(
      'base image',
      (detail) => ensurePythonBase(engine, cloud, organisation, detail),
      ({ reference, origin }) => `${reference}, ${origin}`,
    );
  return part('Base image', make, ({ origin }) => origin);
}

/** Relative where that is shorter to read. */
function here(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

async function show(session: Session): Promise<void> {
  heading('Registries of this organisation');
  const registry = await showRegistries(session);

  heading('A build: examples/iris');
  const built = await part(
    'Build, push, mail',
    () => buildExample(session, registry, 'iris', 'succeeded'),
    ({ image }) => `${image.repository}:${image.tag}, ${megabytes(image.sizeBytes ?? 0)}`,
  );

  heading('An experiment in that image');
  const { experiment } = await part(
    'Experiment',
    () => launchExperiment(session, built.image),
    ({ metrics }) => `accuracy of the trained model: ${metrics.get('accuracy')}`,
  );

  heading('A build that fails: examples/failing');
  const failed = await part(
    'Failing build, mail',
    () => buildExample(session, registry, 'failing', 'failed'),
    ({ build }) => `failing step ${build.failure?.step}`,
  );
  if (failed.build.failure?.step === undefined)
    throw new Error(`Build ${failed.build.id} names no failing step`);
  say(`\n${failed.mail.text.trim().replace(/^/gm, '    ')}`);

  heading('What happened');
  for (const { what, outcome, milliseconds } of done)
    say(`  ${what.padEnd(20)} ${duration(milliseconds).padStart(7)}   ${outcome}`);

  heading('Where to look');
  const { url } = session.api;
  say(`  image            ${built.image.uri}`);
  say(`                   ${built.image.digest}`);
  say(`  build log        ${url}/v1/builds/${built.build.id}/logs`);
  say(`  experiment log   ${url}/v1/experiments/${experiment.id}/logs`);
  say(`  mail             ${here(built.mail.path)}`);
  say(`  mail on failure  ${here(failed.mail.path)}`);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function main(): Promise<void> {
  const home = stateDirectory();
  const { engine, running } = await setUp(home);
  const api = createApi(running.cloud.apiUrl, running.cloud.token, interrupted.signal);
  const underWay = new Set<string>();
  try {
    const { organisation } = await api.get<Me>('/v1/me');
    const base = await baseImage(engine, running, organisation.id);
    await show({ api, home, base, underWay });
  } finally {
    await stopWhatIsUnderWay(running, underWay);
    if (running.startedHere) {
      await running.stop();
      say(
        '\n  The embedded cloud has stopped and keeps its state. `npm start` brings it back and prints the token',
      );
      say('  that these addresses ask for.');
    }
    if (engine.startedPid !== undefined)
      say(`  The container engine that the demo started keeps running (process ${engine.startedPid}).`);
  }
}

/** An interrupted demo leaves no build and no experiment running. */
async function stopWhatIsUnderWay({ cloud }: RunningCloud, underWay: Set<string>): Promise<void> {
  const api = createApi(cloud.apiUrl, cloud.token, AbortSignal.timeout(5000));
  for (const path of underWay)
    await api.post(path).catch((error: Error) => say(`  could not stop it: ${error.message}`));
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

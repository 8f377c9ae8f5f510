/** The embedded cloud in the foreground: reads its settings, boots, says where it is, ends in order. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { adminToken } from './admin-token.ts';
import { engineAddress } from './engine/address.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { writePrivately } from './private-file.ts';
import { readSettings } from './settings.ts';
import { type RunningCloud, startCloud } from './start.ts';
import { databaseFile } from './state.ts';
import { describeError } from './storage-errors.ts';
import { synthesize } from './synth.ts';

const print = (line: string) => console.log(line);

async function findEngine(): Promise<Engine> {
  const engine = createEngine(engineAddress(process.env));
  try {
    await engine.version();
    return engine;
  } catch (error) {
    engine.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No container engine answers at ${engine.host} (${reason}). Start Docker, or run npm start, which offers to install it.`,
    );
  }
}

function announce(cloud: RunningCloud, token: string, home: string, startedAt: number): void {
  print('');
  print(`  API        ${cloud.apiUrl}`);
  print(`  Token      ${token}`);
  print(`  AWS        ${cloud.endpointUrl} (region ${cloud.region}, keys in ${join(home, 'local.json')})`);
  print(`  Registry   ${cloud.registryHost}`);
  print(`  State      ${home}`);
  print('');
  print(
    `Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s. Press Ctrl-C to stop. Running builds end; jobs keep running, and all state is kept.`,
  );
}

/** Ends on the first signal; a second one doesn't wait. */
function onSignals(home: string, stop: () => Promise<void>): AbortSignal {
  const aborted = new AbortController();
  let isStopping = false;
  const end = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    aborted.abort();
    stop().then(
      () => process.exit(process.exitCode ?? 0),
      (error: Error) => {
        console.error(describeError(error, databaseFile(home)));
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return aborted.signal;
}

/** What nothing else has caught: the disk is full, or the fault is ours. Work goes on from its journal at the next start. */
function onUncaught(home: string): void {
  const end = (error: unknown) => {
    console.error(describeError(error, databaseFile(home)));
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** Boots by the environment's settings; resolves when all is ready and said. Throws errors whose message is one line. */
export async function runInForeground(): Promise<void> {
  const startedAt = performance.now();
  const settings = readSettings(process.env);
  const { home, port, stage } = settings;
  onUncaught(home);
  let cloud: RunningCloud | undefined;
  const summary = join(home, 'local.json');
  const signal = onSignals(home, async () => {
    if (!cloud) return;
    rmSync(summary, { force: true });
    await cloud.stop();
  });
  const onSynth = () => print('Synthesizing the stacks (their sources have changed) …');
  cloud = await startCloud({
    home,
    port,
    print,
    async prepare() {
      // First what fails in no time.
      const engine = await findEngine();
      const assembly = await synthesize({ stage, home, onSynth, signal });
      return { engine, assembly };
    },
    dynamodb: {
      endpoint: settings.dynamodbEndpoint,
      indexLagMs: settings.indexLagMs,
      transactionMs: settings.transactionMs,
    },
    ecr: { upstreams: settings.upstreams, advisories: settings.advisories },
  });
  const { apiUrl, endpointUrl, registryHost, region, accountId, credentials } = cloud;
  const facts = { apiUrl, endpointUrl, registryHost, region, accountId, ...credentials, pid: process.pid };
  const token = await adminToken({ ...facts, home, stage, signal });
  writePrivately(summary, JSON.stringify({ ...facts, token }, undefined, 2));
  announce(cloud, token, home, startedAt);
}

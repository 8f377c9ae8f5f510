/** Synthesizes the stacks when their sources have changed since the last time. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ownProject = resolve(import.meta.dirname, '..');

/** Whatever the templates and bundles are made from. */
const sources = ['infra', 'functions', 'shared', 'builder', 'job', 'cdk.json', 'package-lock.json'];

/** The templates could not be synthesized; the message is what the CDK said. */
export class SynthError extends Error {
  override readonly name = 'SynthError';
}

function* filesOf(project: string, path: string): Generator<string> {
  const absolute = join(project, path);
  if (!existsSync(absolute)) return;
  const entries = path.includes('.')
    ? undefined
    : readdirSync(absolute, { withFileTypes: true, recursive: true });
  if (!entries) return yield absolute;
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  yield* files.sort();
}

/** A digest of all sources and the stage: its name, and its file where the stages are kept elsewhere. */
function fingerprint(project: string, stage: string): string {
  const hash = createHash('sha256').update(stage);
  const elsewhere = process.env.SLIPWAY_STAGES && join(process.env.SLIPWAY_STAGES, `${stage}.json`);
  if (elsewhere && existsSync(elsewhere)) hash.update(readFileSync(elsewhere));
  for (const path of sources.flatMap((source) => [...filesOf(project, source)])) {
    hash.update(`\0${relative(project, path)}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function runCdk(
  project: string,
  stage: string,
  output: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cli = join(project, 'node_modules/aws-cdk/bin/cdk');
  const child = spawn(process.execPath, [cli, 'synth', '-q', '-o', output], {
    cwd: project,
    // The CDK's own check of templates takes most of a synthesis; `npx cdk synth` and the tests do it.
    env: {
      ...process.env,
      SLIPWAY_STAGE: stage,
      CDK_VALIDATION: 'false',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CI: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  return new Promise((resolved, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolved();
      else reject(new SynthError(`cdk synth failed:\n${said.join('').trim().slice(-4000)}`));
    });
  });
}

export interface SynthOptions {
  stage: string;
  /** The assembly lies in `<home>/cdk.out`. */
  home: string;
  /** Told before a synthesis, which takes some seconds. */
  onSynth?(): void;
  signal?: AbortSignal;
  /** Where the sources and `node_modules` are; this project unless it says otherwise. */
  project?: string;
}

/** Returns the assembly's folder. Throws `SynthError`. A synthesis that was interrupted leaves the last one as it was. */
export async function synthesize({
  stage,
  home,
  onSynth,
  signal,
  project = ownProject,
}: SynthOptions): Promise<string> {
  const output = join(home, 'cdk.out');
  const record = join(output, 'slipway-sources.sha256');
  const current = fingerprint(project, stage);
  if (existsSync(record) && readFileSync(record, 'utf8') === current) return output;
  onSynth?.();
  // A name of our own: a synthesis whose embedded cloud was killed may still be writing to its folder.
  const prefix = 'cdk.out.new-';
  for (const old of readdirSync(home).filter((name) => name.startsWith(prefix))) {
    rmSync(join(home, old), { recursive: true, force: true });
  }
  const fresh = join(home, `${prefix}${process.pid}`);
  await runCdk(project, stage, fresh, signal);
  writeFileSync(join(fresh, 'slipway-sources.sha256'), current);
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
  return output;
}

/** Entry of `cdk`: `npx cdk synth -c stage=<stage>`; without a stage, `local`. */
import { App } from 'aws-cdk-lib';
import type { BuildFailure } from 'esbuild';
import { bundleAll } from './bundles.ts';
import { featureFlags } from './feature-flags.ts';
import { addSlipway } from './slipway.ts';
import { loadStage } from './stage.ts';
import { SynthError } from './synth-error.ts';

try {
  const app = new App({ context: featureFlags, analyticsReporting: false });
  const name = app.node.tryGetContext('stage') ?? process.env.SLIPWAY_STAGE ?? 'local';
  const stage = loadStage(String(name));
  addSlipway(app, stage, await bundleAll(stage));
  app.synth();
} catch (error) {
  if (!(error instanceof SynthError || isBuildFailure(error))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** esbuild's error lists every fault with its place; a stack trace of esbuild's own would only hide them. */
function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && 'warnings' in error;
}

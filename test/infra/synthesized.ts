/** Synthesizes a stage in this process and evaluates its templates, so that tests read values, not intrinsics. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { Bundles } from '../../infra/bundles.ts';
import { featureFlags } from '../../infra/feature-flags.ts';
import { addSlipway } from '../../infra/slipway.ts';
import { checkStage } from '../../infra/stage.ts';
import type { Cloud, DeclaredResource, ResourceType } from '../../local/platform.ts';
import { readAssembly, type Template } from '../../local/template/assembly.ts';
import { evaluateAssembly } from '../../local/template/evaluate.ts';
import type { Stage } from '../../shared/model/stage.ts';

export const place = { accountId: '111122223333', region: 'eu-west-1' };

/** The example stage with two organisations, one's name beginning with the other's, and whatever else a test wants. */
export function exampleStage(changes: Partial<Record<keyof Stage, unknown>> = {}): Stage {
  const file = join(import.meta.dirname, '../../infra/stages/example.json');
  return checkStage(
    {
      ...JSON.parse(readFileSync(file, 'utf8')),
      organisations: ['acme', 'acme-labs'].map((id) => ({
        id,
        title: id,
        adminEmail: `admin@${id}.example`,
      })),
      ...changes,
    },
    'the test stage',
  );
}

export interface Synthesized {
  templates: { name: string; template: Template }[];
  resources: DeclaredResource[];
  /** All resources of a type, evaluated. */
  ofType(type: string): DeclaredResource[];
  /** The only resource of a type whose name or logical id contains `text`. */
  find(type: string, text?: string): DeclaredResource;
}

/** Declares a stage's stacks without writing them; `use` must be done with them when it returns. */
export function withDeclared<T>(stage: Stage, use: (app: App, outdir: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-synth-'));
  try {
    const outdir = join(folder, 'cdk.out');
    const app = new App({
      context: featureFlags,
      analyticsReporting: false,
      // Takes most of a synthesis; the test of the CLI does it once for all.
      builtinCloudFormationValidation: false,
      outdir,
    });
    addSlipway(app, stage, emptyBundles(folder));
    return use(app, outdir);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function synthesize(stage: Stage = exampleStage()): Synthesized {
  return withDeclared(stage, (app, outdir) => {
    app.synth();
    const assembly = readAssembly(outdir, place);
    const resources = evaluateAssembly(assembly, () => anyType, place as unknown as Cloud);
    const ofType = (type: string) => resources.filter((one) => one.type === type);
    return {
      templates: assembly.stacks,
      resources,
      ofType,
      find: (type, text = '') => {
        const found = ofType(type).filter((one) => `${one.logicalId} ${one.physicalId}`.includes(text));
        const [only] = found;
        if (!only || found.length > 1) throw new Error(`${found.length} resources of ${type} with ${text}`);
        return only;
      },
    };
  });
}

/** Templates don't depend on what the functions' code is, only on where it lies. */
function emptyBundles(folder: string): Bundles {
  const bundle = (name: string, file: string) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, file), `// ${name}`);
    return path;
  };
  return {
    functionFolder: (name) => bundle(name, 'index.mjs'),
    builderFolder: bundle('builder', 'builder.mjs'),
  };
}

/** Names by which every type is known here: its own where the template gives one. */
const anyType: ResourceType = {
  physicalId: ({ stack, logicalId, properties }) =>
    properties.RoleName ??
    properties.QueueName ??
    properties.FunctionName ??
    properties.JobQueueName ??
    properties.ComputeEnvironmentName ??
    properties.AlarmName ??
    properties.LogGroupName ??
    `${stack}.${logicalId}`.toLowerCase(),
  attributes: ({ physicalId }) =>
    new Proxy<Record<string, string>>(
      {},
      { get: (_, name) => (name === 'Arn' ? arnOf(physicalId) : `${String(name)}/of/${physicalId}`) },
    ),
};

/** A bucket's ARN has no account, and nothing here needs more than that ARNs differ. */
function arnOf(physicalId: string): string {
  return physicalId.includes('-data.') ? `arn:aws:s3:::${physicalId}` : `arn:aws:any:::${physicalId}`;
}

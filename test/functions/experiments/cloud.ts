/** The services of the embedded cloud that experiments need, on real engines, with the declared state machine. */
import { experimentFlow } from '../../../infra/experiment-flow.ts';
import local from '../../../infra/stages/local.json' with { type: 'json' };
import { createBatch } from '../../../local/batch/batch.ts';
import { createEcr, type EcrOptions } from '../../../local/ecr/ecr.ts';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { watchEngine } from '../../../local/engine/watch.ts';
import { createLogs } from '../../../local/logs.ts';
import type { DeclaredResource } from '../../../local/platform.ts';
import { createS3 } from '../../../local/s3.ts';
import { createStepFunctions } from '../../../local/step-functions/step-functions.ts';
import { cachedUpstreams } from '../../../shared/model/pull-through.ts';
import { type Stage, stageSchema } from '../../../shared/model/stage.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';
import { bucketOf } from '../../local/s3/declared-bucket.ts';
import { withXmlErrors } from '../../local/s3/xml-errors.ts';

export const account = '000000000000';
const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${account}:${name}`;
export const launcherArn = arn('lambda', 'function:slipway-local-launcher');
export const stateMachineArn = arn('states', 'stateMachine:slipway-local-experiments');

const declared = (type: string, name: string, properties: object): DeclaredResource => ({
  stack: 'compute',
  logicalId: name,
  type: `AWS::Batch::${type}`,
  properties,
  physicalId: arn('batch', name),
  attributes: {},
});

/** The flow with short pauses and few tries, so that a launcher which never recovers is given up within seconds. */
const impatient = (flow: object): object => {
  const short: Record<string, number> = { IntervalSeconds: 1, MaxDelaySeconds: 2, MaxAttempts: 2 };
  return JSON.parse(JSON.stringify(flow), (key, value) => short[key] ?? value);
};

/** The local stage with computes of the tests' own. */
export const stageOf = (queueTimeoutSeconds = 60, pullThroughCache?: Stage['pullThroughCache']): Stage =>
  stageSchema.parse({
    ...local,
    computes: [
      ...local.computes,
      {
        use: 'run',
        name: 'larger-than-any-host',
        vcpus: 1,
        memoryMiB: 65_536,
        gpus: 0,
        pricePerHourUsd: 1,
        queues: ['cpu', 'gpu'],
      },
      {
        use: 'run',
        name: 'spot-first',
        vcpus: 1,
        memoryMiB: 6000,
        gpus: 0,
        pricePerHourUsd: 1,
        queues: ['gpu', 'gpu-on-demand'],
      },
    ],
    queueTimeoutSeconds,
    privateRegistries: ['127.0.0.1'],
    pullThroughCache,
  });

/** `ecrOptions` are what ECR knows of public registries and of vulnerabilities. */
export async function experimentsCloud(stage: Stage, ecrOptions?: EcrOptions): Promise<CloudWithEndpoint> {
  const cloud = await createCloudWithEndpoint();
  const ecr = createEcr(cloud, ecrOptions);
  const engine = createEngine(engineAddress(process.env));
  const batch = createBatch(cloud, {
    engine,
    engineWatch: watchEngine(engine, cloud),
    ecr,
    machine: { vcpus: 8, memoryMiB: 8192, gpuIds: [] },
    stopGraceSeconds: 5,
  });
  const states = createStepFunctions(cloud, { batch });
  const logService = createLogs(cloud, { getLogEventsPerSecond: 10_000 });
  const s3 = withXmlErrors(createS3(cloud));
  cloud.appendLogs = logService.append;
  cloud.serve(ecr, batch, states, logService, s3);
  await s3.deploy?.([bucketOf('artifacts')]);
  await ecr.deploy?.(
    cachedUpstreams(stage).map(({ prefix, registryUrl }) => ({
      ...declared('PullThroughCacheRule', prefix, {
        EcrRepositoryPrefix: prefix,
        UpstreamRegistryUrl: registryUrl,
      }),
      type: 'AWS::ECR::PullThroughCacheRule',
    })),
  );
  await batch.deploy?.([
    declared('SchedulingPolicy', 'scheduling-policy/fair', { FairsharePolicy: {} }),
    ...stage.environments.map((one) =>
      declared('ComputeEnvironment', `compute-environment/slipway-local-acme-${one.name}`, {
        Type: 'MANAGED',
        ComputeResources: { Type: 'EC2', MaxvCpus: one.maxVcpus, InstanceTypes: one.instanceTypes },
      }),
    ),
    ...stage.queues.map((one) =>
      declared('JobQueue', `job-queue/slipway-local-acme-${one.name}`, {
        Priority: 1,
        SchedulingPolicyArn: arn('batch', 'scheduling-policy/fair'),
        ComputeEnvironmentOrder: one.environments.map((name, i) => ({
          Order: i + 1,
          ComputeEnvironment: arn('batch', `compute-environment/slipway-local-acme-${name}`),
        })),
      }),
    ),
  ]);
  await states.deploy?.([
    {
      stack: 'api',
      logicalId: 'Flow',
      type: 'AWS::StepFunctions::StateMachine',
      properties: {
        StateMachineName: 'slipway-local-experiments',
        RoleArn: `arn:aws:iam::${account}:role/flow`,
        Definition: impatient(experimentFlow({ partition: 'aws', launcherArn })),
      },
      physicalId: stateMachineArn,
      attributes: {},
    },
  ]);
  await batch.start?.();
  await ecr.start?.();
  await states.start?.();
  return cloud;
}

/**
 * Experiments on real engines without the API in front: the table on dynoxide, ECR, Batch and Step Functions of the
 * embedded cloud, the declared state machine, jobs in the container engine. Events can be held back or mixed up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { ECRClient } from '@aws-sdk/client-ecr';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { takeIn } from '../../../functions/batch-events/take-in.ts';
import { stopExperiment } from '../../../functions/experiments/stop.ts';
import { prepare } from '../../../functions/launcher/prepare.ts';
import { settle } from '../../../functions/launcher/settle.ts';
import { taskSchema } from '../../../functions/launcher/task.ts';
import { createExperimentReconciler } from '../../../functions/reconciler/experiments.ts';
import { experimentFlow } from '../../../infra/experiment-flow.ts';
import local from '../../../infra/stages/local.json' with { type: 'json' };
import { createBatch } from '../../../local/batch/batch.ts';
import { createEcr, type EcrOptions } from '../../../local/ecr/ecr.ts';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { createLogs as createLogsService } from '../../../local/logs.ts';
import type { DeclaredResource } from '../../../local/platform.ts';
import { createS3 } from '../../../local/s3.ts';
import { createStepFunctions } from '../../../local/step-functions/step-functions.ts';
import { publish } from '../../../scripts/base-image/publish.ts';
import { tinyImage } from '../../../scripts/base-image/tiny.ts';
import { run } from '../../../scripts/command.ts';
import { ensureEngine } from '../../../scripts/engine.ts';
import { createArtifacts } from '../../../shared/aws/artifacts.ts';
import { createEcrLogin } from '../../../shared/aws/ecr-login.ts';
import { createExecutions } from '../../../shared/aws/executions.ts';
import { createImageScans } from '../../../shared/aws/image-scans.ts';
import { createJobLog } from '../../../shared/aws/job-log.ts';
import { createJobDefinitions, createJobs, type JobReport } from '../../../shared/aws/jobs.ts';
import { createRepositories } from '../../../shared/aws/repositories.ts';
import { createExperiment } from '../../../shared/experiment/create.ts';
import { logJobOf } from '../../../shared/experiment/log-job.ts';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';
import { isOver } from '../../../shared/experiment/record.ts';
import { createLogs } from '../../../shared/log/log.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newId } from '../../../shared/model/id.ts';
import { cachedUpstreams } from '../../../shared/model/pull-through.ts';
import { type Stage, stageSchema } from '../../../shared/model/stage.ts';
import { createRegistryAccess } from '../../../shared/registry/access.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { copyLayers } from '../../../shared/registry/copy-layers.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { readEvents } from '../../../shared/store/advance.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { createCloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';
import { bucketOf } from '../../local/s3/declared-bucket.ts';
import { withXmlErrors } from '../../local/s3/xml-errors.ts';
import { startRealTable } from '../../shared/store/real-table.ts';

export const organisation = 'acme';
const account = '000000000000';
const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${account}:${name}`;
const launcherArn = arn('lambda', 'function:slipway-local-launcher');
const stateMachineArn = arn('states', 'stateMachine:slipway-local-experiments');

/** The table on an engine of its own. */
export async function testTable() {
  const { table, stop } = await startRealTable();
  return { table, close: stop };
}

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

export interface PlaceOptions {
  /** Seconds that a job may wait for a host. */
  queueTimeoutSeconds?: number;
  /** What becomes of the events of a job, in their order; by default all are delivered as they come. */
  deliver?: (report: JobReport) => JobReport[];
  /** Makes the launcher's calls fail, by action. */
  failing?: (action: string) => boolean;
  /** Public registries that ECR is a cache of, with what it knows of them and of vulnerabilities. */
  ecr?: EcrOptions & { cached?: Stage['pullThroughCache'] };
}

export type Place = Awaited<ReturnType<typeof experimentsPlace>>;

export async function experimentsPlace(options: PlaceOptions = {}) {
  const { table, close } = await testTable();
  const cloud = await createCloudWithEndpoint();
  const stage = stageSchema.parse({
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
    queueTimeoutSeconds: options.queueTimeoutSeconds ?? 60,
    privateRegistries: ['127.0.0.1'],
    pullThroughCache: options.ecr?.cached,
  });
  const ecr = createEcr(cloud, options.ecr);
  const batch = createBatch(cloud, {
    engine: createEngine(engineAddress(process.env)),
    ecr,
    machine: { vcpus: 8, memoryMiB: 8192, gpuIds: [] },
    stopGraceSeconds: 5,
  });
  const states = createStepFunctions(cloud, { batch });
  const logService = createLogsService(cloud, { getLogEventsPerSecond: 10_000 });
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

  const client = { ...cloud.client(), maxAttempts: 1 };
  const now = () => new Date();
  const registries = createRegistryStore(table, cloud.registryHost, stage.privateRegistries);
  const jobs = createJobs(new BatchClient(client));
  const executions = createExecutions(stateMachineArn, new SFNClient(client));
  const logGroup = '/slipway/local/jobs';
  const logsClient = new CloudWatchLogsClient(client);
  const jobLog = createJobLog(logGroup, logsClient);
  const logs = createLogs({
    table,
    artifacts: createArtifacts('artifacts', new S3Client({ ...client, forcePathStyle: true })),
    client: logsClient,
    now,
  });
  const problems: string[] = [];
  const log = {
    info: () => undefined,
    warn: (message: string) => void problems.push(message),
    error: (message: string, fields: object) => void problems.push(`${message} ${JSON.stringify(fields)}`),
  };
  const network = createNetwork({ privateHosts: stage.privateRegistries });
  const ecrLogin = createEcrLogin(new ECRClient(client));
  const launcher = {
    table,
    stage,
    registries,
    access: createRegistryAccess({
      registries,
      // The secrets that the container agent reads are the ones that the launcher reads.
      secrets: { read: async (id) => cloud.secrets.get(id) },
      ecrLogin,
      ecrRegistry: cloud.registryHost,
      network,
    }),
    scans: createImageScans(new ECRClient(client)),
    ownEcr: async () =>
      createRegistryClient({ host: cloud.registryHost, network, credentials: await ecrLogin() }),
    repositories: createRepositories(new ECRClient(client)),
    definitions: createJobDefinitions(new BatchClient(client)),
    jobs,
    ecrRegistry: cloud.registryHost,
    logGroup,
    jobLog,
    roleArnPrefix: `arn:aws:iam::${account}:role/slipway-local-`,
    apiUrl: 'http://127.0.0.1:4780',
    now,
  };
  cloud.functions.set(launcherArn, async (payload) => {
    try {
      const task = taskSchema.parse(payload);
      if (options.failing?.(task.action)) throw new Error('the launcher was killed');
      const answer =
        task.action === 'prepare'
          ? await prepare(launcher, { ...task, remainingMs: () => 60_000 })
          : await settle(launcher, task);
      return { payload: answer };
    } catch (error) {
      const { name, message } = error as Error;
      return { payload: { errorType: name, errorMessage: message }, functionError: 'Unhandled' };
    }
  });

  const deliver = options.deliver ?? ((report: JobReport) => [report]);
  let taken = 0;
  let closing = false;
  const takeInReport = (report: JobReport) => takeIn({ table, stage, jobs, jobLog, now, log }, report);
  const pump = (async () => {
    while (!closing) {
      for (; taken < cloud.events.length; taken++) {
        const event = cloud.events[taken];
        if (event?.source !== 'aws.batch') continue;
        for (const report of deliver(event.detail as unknown as JobReport)) await takeInReport(report);
      }
      await sleep(20);
    }
  })();

  const engine = await ensureEngine({ yes: true });
  const target = {
    cloud: {
      registryHost: cloud.registryHost,
      endpointUrl: cloud.endpointUrl,
      region: 'us-east-1',
      accountId: account,
      ...cloud.client().credentials,
      apiUrl: '',
      token: '',
      pid: 0,
    },
  };
  const get = async (id: string) => {
    const record = await table.get(organisation, 'experiments', id);
    if (!record) throw new Error(`no experiment ${id}`);
    return record as ExperimentRecord;
  };
  const until = async (id: string, accept: (record: ExperimentRecord) => boolean, seconds = 40) => {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const record = await get(id);
      if (accept(record)) return record;
      if (performance.now() > end)
        throw new Error(
          `${JSON.stringify(record, null, 1)}\n${problems.join('\n')}\n${cloud.messages.join('\n')}`,
        );
      await sleep(50);
    }
  };

  return {
    cloud,
    table,
    stage,
    jobs,
    executions,
    launcher,
    logs,
    logGroup,
    log,
    problems,
    /** What an experiment's attempts have written, in their order. */
    async lines(id: string): Promise<string[]> {
      await logs.drain(logJobOf(organisation, logGroup, await get(id)));
      return (await logs.last(organisation, id, 1000)).map(({ text }) => text);
    },
    get,
    until,
    over: (id: string, seconds?: number) => until(id, isOver, seconds),
    takeIn: takeInReport,
    reconcile: (at: Date = new Date()) =>
      createExperimentReconciler({ table, stage, jobs, jobLog, executions, logs, logGroup, now: () => at }),
    stop: (id: string) =>
      stopExperiment({ table, stage, jobs }, { organisation, id, by: 'ada@acme.example', now: now() }),
    async create(asked: object, start = true): Promise<ExperimentRecord> {
      return createExperiment(
        { table, stage, executions, log },
        {
          organisation,
          author: 'ada@acme.example',
          id: newId('experiment', Date.now()),
          now: now(),
          start,
          asked: newExperimentSchema.parse({ compute: 'cpu-small', ...asked }),
        },
      );
    },
    /** Keeps the machine so busy that no job of `spot-first` finds room. */
    async occupied(image: string): Promise<string> {
      const { id } = await this.create({ image, command: ['sleep', '300'], compute: 'cpu-large' });
      await until(id, ({ status }) => status === 'running');
      return id;
    },
    codes: async (id: string) => (await readEvents(table, organisation, id, 0, 100)).map(({ code }) => code),
    /** Puts an image made of `instructions` on a tiny base into the organisation's ECR; answers its reference. */
    async publish(repository: string, instructions: string[] = []): Promise<string> {
      const base = await tinyImage(engine, () => undefined);
      const image = `slipway-test/${repository}:1`;
      await run(engine.cli, ['build', '-q', '-t', image, '-'], {
        input: [`FROM ${base} AS base`, ...instructions].join('\n'),
        env: { DOCKER_BUILDKIT: '1' },
      });
      return publish(
        engine,
        image,
        { ...target, repository: `${organisation}/${repository}`, tag: '1' },
        () => undefined,
      );
    },
    /** The same into another registry, where everybody may push; answers the digest. */
    async publishTo(host: string, repository: string, instructions: string[] = []): Promise<string> {
      await this.publish(repository, instructions);
      const own = `${organisation}/${repository}`;
      const from = await launcher.ownEcr();
      const to = createRegistryClient({ host, network });
      const manifest = await from.getManifest(own, '1');
      const limits = {
        limitBytes: 1e9,
        remainingMs: () => 1e9,
        reserveMs: 0,
        cancelled: async () => false,
      };
      const source = { client: from, repository: own, manifest };
      await copyLayers(source, { client: to, repository }, limits, true);
      return to.putManifest(repository, '1', manifest.mediaType, manifest.body);
    },
    async close() {
      closing = true;
      await pump;
      await cloud.close();
      await close();
    },
  };
}

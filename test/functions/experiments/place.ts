/**
 * Experiments on real engines without the API in front: the table on dynoxide, ECR, Batch and Step Functions of the
 * embedded cloud, the declared state machine, jobs in the container engine. Events can be held back or mixed up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { takeIn } from '../../../functions/batch-events/take-in.ts';
import { stopExperiment } from '../../../functions/experiments/stop.ts';
import { createExperimentReconciler } from '../../../functions/reconciler/experiments.ts';
import type { EcrOptions } from '../../../local/ecr/ecr.ts';
import { createArtifacts } from '../../../shared/aws/artifacts.ts';
import { createExecutions } from '../../../shared/aws/executions.ts';
import { createJobLog } from '../../../shared/aws/job-log.ts';
import { createJobs, type JobReport } from '../../../shared/aws/jobs.ts';
import { createExperiment } from '../../../shared/experiment/create.ts';
import { logJobOf } from '../../../shared/experiment/log-job.ts';
import { type ExperimentRecord, isOver } from '../../../shared/experiment/record.ts';
import { createLogs } from '../../../shared/log/log.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newId } from '../../../shared/model/id.ts';
import type { Stage } from '../../../shared/model/stage.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { readEvents } from '../../../shared/store/advance.ts';
import { startRealTable } from '../../shared/store/real-table.ts';
import { experimentsCloud, stageOf, stateMachineArn } from './cloud.ts';
import { imagesIn } from './images.ts';
import { serveLauncher } from './launcher.ts';

export const organisation = 'acme';
const author = 'ada@acme.example';

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
  const { table, stop: stopTable } = await startRealTable();
  const stage = stageOf(options.queueTimeoutSeconds, options.ecr?.cached);
  const cloud = await experimentsCloud(stage, options.ecr);
  const client = { ...cloud.client(), maxAttempts: 1 };
  const now = () => new Date();
  const jobs = createJobs(new BatchClient(client));
  const executions = createExecutions(stateMachineArn, new SFNClient(client));
  const logGroup = '/slipway/local/jobs';
  const logsClient = new CloudWatchLogsClient(client);
  const jobLog = createJobLog(logGroup, logsClient);
  /** `graceSeconds` is how long after its end a job may still deliver lines. */
  const logsOf = (graceSeconds?: number) =>
    createLogs({
      table,
      artifacts: createArtifacts('artifacts', new S3Client({ ...client, forcePathStyle: true })),
      client: logsClient,
      now,
      ...(graceSeconds === undefined ? {} : { graceSeconds }),
    });
  const logs = logsOf();
  const problems: string[] = [];
  const log = {
    info: () => undefined,
    warn: (message: string) => void problems.push(message),
    error: (message: string, fields: object) => void problems.push(`${message} ${JSON.stringify(fields)}`),
  };
  const network = createNetwork({ privateHosts: stage.privateRegistries });
  const launcher = serveLauncher(cloud, { table, stage, jobs, jobLog, logGroup, network }, options.failing);
  const images = await imagesIn(cloud, organisation, network, launcher.ownEcr);

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

  const get = async (id: string) => {
    const record = await table.get(organisation, 'experiments', id);
    if (!record) throw new Error(`no experiment ${id}`);
    return record as ExperimentRecord;
  };
  const until = async (id: string, accept: (record: ExperimentRecord) => boolean, seconds = 600) => {
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
    ...images,
    cloud,
    table,
    stage,
    jobs,
    executions,
    launcher,
    logs,
    logsOf,
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
    reconcile: (at: Date = new Date(), by = logs) =>
      createExperimentReconciler({
        table,
        stage,
        jobs,
        jobLog,
        executions,
        logs: by,
        logGroup,
        now: () => at,
      }),
    stop: (id: string) =>
      stopExperiment({ table, stage, jobs }, { organisation, id, by: author, now: now() }),
    async create(asked: object, start = true): Promise<ExperimentRecord> {
      return createExperiment(
        { table, stage, executions, log },
        {
          organisation,
          author,
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
    async close() {
      closing = true;
      await pump;
      await cloud.close();
      await stopTable();
    },
  };
}

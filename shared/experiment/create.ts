import type { Executions } from '../aws/executions.ts';
import type { NewExperiment } from '../model/experiment.ts';
import type { Stage } from '../model/stage.ts';
import { eventWrites, putWrite } from '../store/advance.ts';
import { absent, ConditionFailedError, columnKey, type Table, type Write } from '../store/table.ts';
import { timed } from '../store/timeline.ts';
import { dueAt } from './change.ts';
import { launch } from './launch.ts';
import { type ExperimentRecord, statusFields } from './record.ts';
import { runCompute } from './run-compute.ts';
import { tagWrites } from './tags.ts';

export interface CreateDependencies {
  table: Table;
  stage: Stage;
  executions: Executions;
  log: { error(message: string, fields: Record<string, unknown>): void };
}

export interface NewExperimentRequest {
  organisation: string;
  /** Email of who asks. */
  author: string;
  id: string;
  now: Date;
  start: boolean;
  asked: NewExperiment;
}

/** Stores an experiment and starts it if asked to. The same id again finds the first one. Throws 422 for a compute nobody offers. */
export async function createExperiment(
  dependencies: CreateDependencies,
  request: NewExperimentRequest,
): Promise<ExperimentRecord> {
  const { table } = dependencies;
  const { organisation, id, now, start } = request;
  const { record, writes } = newExperiment(dependencies, request);
  try {
    await table.transact(writes);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    const first = (await table.get(organisation, 'experiments', id)) as ExperimentRecord | undefined;
    if (!first) throw error;
    if (start) await launch(dependencies, organisation, first, now);
    return first;
  }
  if (start) await launch(dependencies, organisation, record, now);
  return record;
}

/** An experiment with its timeline and tags, to be written. Throws 422 for a compute nobody offers. */
export function newExperiment(
  { table, stage }: Pick<CreateDependencies, 'table' | 'stage'>,
  request: NewExperimentRequest,
  build?: NonNullable<ExperimentRecord['build']>,
): { record: ExperimentRecord; writes: Write[] } {
  const { organisation, id, author, start } = request;
  const first = newRecord(stage, request);
  const time = first.createdAt;
  const { events, lastEventAt } = timed(time, [
    { time, code: 'created', message: `Created by ${author}.` },
    ...(start ? [{ time, code: 'pending', message: `Started by ${author}.` }] : []),
    ...(build
      ? [
          {
            time,
            code: 'waiting-for-build',
            message: `Waiting for build ${build.id} of its image.`,
            detail: build,
          },
        ]
      : []),
  ]);
  const record: ExperimentRecord = {
    ...first,
    ...(build ? { build } : {}),
    lastEventAt,
    eventCount: events.length,
  };
  return {
    record,
    writes: [
      putWrite(table, { ...table.key(organisation, 'experiments', id), ...record }, absent),
      ...eventWrites(table, organisation, id, 0, events),
      ...tagWrites(table, organisation, id, [], record.tags),
    ],
  };
}

function newRecord(stage: Stage, { organisation, author, id, now, start, asked }: NewExperimentRequest) {
  const compute = runCompute(stage, asked.compute);
  const time = now.toISOString();
  const record: ExperimentRecord = {
    id,
    version: 1,
    eventCount: 0,
    name: asked.name ?? id,
    status: start ? 'pending' : 'created',
    image: asked.image === undefined ? {} : { requested: asked.image },
    ...(asked.command ? { command: asked.command } : {}),
    entrypoint: asked.entrypoint,
    compute: compute.name,
    env: asked.env,
    tags: asked.tags,
    ...(asked.project === undefined ? {} : { project: asked.project }),
    timeoutSeconds: asked.timeoutSeconds ?? stage.experimentTimeoutSeconds,
    retry: asked.retry ?? { attempts: compute.queues.length, on: ['no-capacity', 'host-lost'] },
    attempts: [],
    author,
    createdAt: time,
    updatedAt: time,
    lastEventAt: time,
    statusKey: '',
    authorKey: columnKey(author, id),
    projectKey: columnKey(asked.project ?? '', id),
  };
  const due = dueAt(record, { organisation, now, queueTimeoutSeconds: stage.queueTimeoutSeconds });
  return { ...record, ...statusFields(organisation, record, due) };
}

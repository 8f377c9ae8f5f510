import type { Executions } from '../../shared/aws/executions.ts';
import { dueAt } from '../../shared/experiment/change.ts';
import { type ExperimentRecord, statusFields, timed } from '../../shared/experiment/record.ts';
import { runCompute } from '../../shared/experiment/run-compute.ts';
import type { NewExperiment } from '../../shared/model/experiment.ts';
import type { Stage } from '../../shared/model/stage.ts';
import { eventWrites, putWrite } from '../../shared/store/advance.ts';
import { absent, ConditionFailedError, columnKey, type Table } from '../../shared/store/table.ts';
import { launch } from './launch.ts';
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
  const { table, stage } = dependencies;
  const { organisation, id, now, start } = request;
  const record = newRecord(stage, request);
  const { events, lastEventAt } = timed(record.createdAt, [
    { time: record.createdAt, code: 'created', message: `Created by ${request.author}.` },
    ...(start ? [{ time: record.createdAt, code: 'pending', message: `Started by ${request.author}.` }] : []),
  ]);
  const stored: ExperimentRecord = { ...record, lastEventAt, eventCount: events.length };
  const item = { ...table.key(organisation, 'experiments', id), ...stored };
  try {
    await table.transact([
      putWrite(table, item, absent),
      ...eventWrites(table, organisation, id, 0, events),
      ...tagWrites(table, organisation, id, [], stored.tags),
    ]);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    const first = (await table.get(organisation, 'experiments', id)) as ExperimentRecord | undefined;
    if (!first) throw error;
    if (start) await launch(dependencies, organisation, first, now);
    return first;
  }
  if (start) await launch(dependencies, organisation, stored, now);
  return stored;
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

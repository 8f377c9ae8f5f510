/** The operations of this function, bound to their use cases. */
import { experimentAnswer as answer } from '../../shared/experiment/answer.ts';
import { experimentOf, isOver } from '../../shared/experiment/record.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { waitingPlaces } from '../../shared/log/patience.ts';
import { deleteExperiment, updateExperiment } from './change.ts';
import * as contract from './contract.ts';
import type { ExperimentsDependencies } from './dependencies.ts';
import { readLog } from './logs.ts';
import { getExperiment, listExperiments } from './read.ts';
import { startExperiment } from './start.ts';
import { stopExperiment } from './stop.ts';
import { followTimeline } from './timeline.ts';

export const experimentOperations = (dependencies: ExperimentsDependencies): Implementation[] => [
  implement(contract.listExperiments, async ({ caller, query }) => {
    const { records, nextCursor } = await listExperiments(dependencies.table, caller.organisation, query);
    return { status: 200, body: { items: records.map(experimentOf), nextCursor } };
  }),
  implement(contract.getExperiment, async ({ caller, params }) =>
    answer(200, await getExperiment(dependencies.table, caller.organisation, params.id)),
  ),
  implement(contract.updateExperiment, async ({ caller, params, body, now, ifMatch }) =>
    answer(
      200,
      await updateExperiment(
        dependencies.table,
        { organisation: caller.organisation, id: params.id, now, ifMatch },
        body,
      ),
    ),
  ),
  implement(contract.deleteExperiment, async ({ caller, params, ifMatch }) => {
    await deleteExperiment(dependencies, { organisation: caller.organisation, id: params.id, ifMatch });
    return { status: 204 };
  }),
  implement(contract.startExperiment, async ({ caller, params, now }) =>
    answer(
      202,
      await startExperiment(dependencies, {
        organisation: caller.organisation,
        id: params.id,
        by: caller.email,
        now,
      }),
    ),
  ),
  implement(contract.stopExperiment, async ({ caller, params, now }) => {
    const record = await stopExperiment(dependencies, {
      organisation: caller.organisation,
      id: params.id,
      by: caller.email,
      now,
    });
    return answer(isOver(record) ? 200 : 202, record);
  }),
  implement(contract.getExperimentLogs, async ({ caller, params, query, remainingMs }) => ({
    status: 200,
    body: await readLog(dependencies, caller.organisation, params.id, {
      ...query,
      remainingMs,
      places: waitingPlaces(dependencies.table, caller, dependencies.stage.waitsPerMember),
    }),
  })),
  implement(contract.getExperimentEvents, async ({ caller, params, query, remainingMs }) => ({
    status: 200,
    body: await followTimeline(dependencies.table, caller.organisation, params.id, {
      ...query,
      remainingMs,
      places: waitingPlaces(dependencies.table, caller, dependencies.stage.waitsPerMember),
    }),
  })),
];

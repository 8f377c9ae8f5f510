/** Builds that wait for a place on a compute, and may wait for one that never comes. */
import type { BuildFailure } from '../model/build.ts';
import { advance } from '../store/advance.ts';
import { buildCompute } from './computes.ts';
import { endBuild } from './end.ts';
import { readJobRequest } from './job-request.ts';
import { type BuildRecord, isOver } from './record.ts';
import type { StartDependencies } from './start.ts';
import { onTimeline } from './timeline.ts';
import { startWaiting } from './waiting.ts';

/** Whoever waits behind the longest builds of a full compute has had a place by then. */
const longestWaitSeconds = 86_400;

/**
 * Has a build that waits for its compute go on: started where there is room, moved to the next compute that it may be
 * built on where the stage has lost this one, ended where it has lost all of them, or after a day. Answers the record
 * as it is then; nothing where there is no such build.
 */
export async function settleWaiting(
  dependencies: StartDependencies,
  organisation: string,
  buildId: string,
): Promise<BuildRecord | undefined> {
  const { table, stage, now } = dependencies;
  const request = await readJobRequest(table, organisation, buildId);
  const next = request?.computes.find((name) => buildCompute(stage, name));
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    (current) => {
      const { compute } = current;
      if (!waits(current) || buildCompute(stage, compute) || next === undefined) return undefined;
      const time = now().toISOString();
      const message = `The compute ${compute} no longer exists. Waiting for a free ${next} slot.`;
      const { events, lastEventAt } = onTimeline(current, [{ time, code: 'waiting', message }]);
      return { set: { compute: next, updatedAt: time, lastEventAt }, events };
    },
  );
  const record = moved?.record;
  if (!record || !waits(record)) return record;
  const fail = (failure: BuildFailure) =>
    endBuild(dependencies, organisation, buildId, { status: 'failed', failure });
  if (!buildCompute(stage, record.compute))
    return fail({
      code: 'compute-unavailable',
      message: `The deployment no longer has any compute that this build may use (${request?.computes.join(', ')}).`,
    });
  await startWaiting(dependencies, organisation, record.compute);
  const current = (await table.get(organisation, 'builds', buildId)) as BuildRecord | undefined;
  const waitedMs = now().getTime() - Date.parse(record.lastEventAt);
  if (!current || !waits(current) || waitedMs <= longestWaitSeconds * 1000) return current;
  const hours = longestWaitSeconds / 3600;
  return fail({
    code: 'queue-timeout',
    message: `The build waited ${hours} hours for a free ${current.compute} slot.`,
  });
}

const waits = (record: BuildRecord) =>
  !isOver(record) && !record.hasSlot && !record.attachedTo && !record.awaitsBases;

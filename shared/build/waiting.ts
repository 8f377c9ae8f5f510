/** Builds that wait until their compute is below its limit. */
import { advance } from '../store/advance.ts';
import { ConditionFailedError, columnPrefix, type Item } from '../store/table.ts';
import { buildCompute } from './computes.ts';
import { type BuildRecord, isOver } from './record.ts';
import { holdersOf, takeSlot } from './slots.ts';
import { type StartDependencies, startBuild } from './start.ts';
import { onTimeline } from './timeline.ts';

/** Starts what waits for a compute, oldest first, as far as there is room. */
export async function startWaiting(
  dependencies: StartDependencies,
  organisation: string,
  computeName: string,
): Promise<void> {
  const { table, stage, log } = dependencies;
  const compute = buildCompute(stage, computeName);
  if (!compute) return;
  const hasRoom = async () =>
    (await holdersOf(table, organisation, computeName)).size < compute.maxConcurrent;
  let start: Item | undefined;
  do {
    if (!(await hasRoom())) return;
    // Many of those that are queued may wait for an identical build, or for another compute.
    const page = await table.query({
      organisation,
      collection: 'builds',
      index: 'byStatus',
      prefix: columnPrefix('queued'),
      limit: 100,
      ...(start ? { start } : {}),
    });
    const waiting = (page.items as BuildRecord[]).filter(
      (one) => !one.hasSlot && !one.attachedTo && !one.awaitsBases && one.compute === computeName,
    );
    for (const { id } of waiting) {
      if (!(await hasRoom())) return;
      if (!(await takePlace(dependencies, organisation, id))) continue;
      try {
        await startBuild(dependencies, organisation, id);
      } catch (error) {
        // The reconciler tries again; the builds behind it need not wait for that.
        log.error('a waiting build could not be started', { organisation, buildId: id, error });
      }
    }
    start = page.last;
  } while (start);
}

/** Whether the build has a place now that it hadn't. */
async function takePlace(
  { table, stage, now }: StartDependencies,
  organisation: string,
  buildId: string,
): Promise<boolean> {
  const time = now().toISOString();
  try {
    const moved = await advance<BuildRecord>(
      table,
      { organisation, collection: 'builds', id: buildId },
      async (current) => {
        const compute = buildCompute(stage, current.compute);
        if (isOver(current) || current.hasSlot || current.stopRequestedAt || !compute) return undefined;
        if (current.attachedTo || current.awaitsBases) return undefined;
        if ((await holdersOf(table, organisation, compute.name)).size >= compute.maxConcurrent)
          return undefined;
        const timeline = onTimeline(current, [
          {
            time,
            code: 'queued',
            message: `${compute.name} is free.`,
          },
        ]);
        return {
          set: { hasSlot: true, phase: 'queued', updatedAt: time, lastEventAt: timeline.lastEventAt },
          events: timeline.events,
          also: [takeSlot(table, organisation, compute, buildId)],
        };
      },
    );
    return moved?.moved ?? false;
  } catch (error) {
    // Others were faster at every attempt: there is no room.
    if (error instanceof ConditionFailedError) return false;
    throw error;
  }
}

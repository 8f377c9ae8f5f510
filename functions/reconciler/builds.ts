import { type CloseDependencies, closeBuild } from '../../shared/build/close.ts';
import { settleFollower } from '../../shared/build/descendants.ts';
import { endBuild } from '../../shared/build/end.ts';
import { applyReport } from '../../shared/build/progress.ts';
import { type BuildRecord, isOver, openFields, stopsUnstarted } from '../../shared/build/record.ts';
import { settleWaiting } from '../../shared/build/settle-waiting.ts';
import { quietSeconds, startBuild } from '../../shared/build/start.ts';
import { startWaiting } from '../../shared/build/waiting.ts';
import { advance } from '../../shared/store/advance.ts';
import type { Reconcile } from './reconcile.ts';

/**
 * Compares a build that is due with what CodeBuild knows, and finishes what nobody else will: one whose start or stop died
 * on its way, that waits for a compute or for other builds, whose events were lost, that CodeBuild has forgotten, or that ended without its
 * log kept or its mail sent.
 */
export function createBuildReconciler(dependencies: CloseDependencies): Reconcile {
  const { table, builds } = dependencies;
  return async (organisation, id) => {
    const record = (await table.get(organisation, 'builds', id)) as BuildRecord | undefined;
    if (!record) return;
    let current: BuildRecord | undefined = record;
    if (!isOver(record)) {
      if (stopsUnstarted(record))
        current = await endBuild(dependencies, organisation, id, { status: 'stopped' });
      else if (record.attachedTo || record.awaitsBases) {
        current = await settleFollower(dependencies, organisation, id);
        // On its own now: it gets a place like any other that waits.
        if (current && !current.attachedTo && !current.awaitsBases)
          await startWaiting(dependencies, organisation, current.compute);
      } else if (!record.hasSlot) current = await settleWaiting(dependencies, organisation, id);
      else if (!record.codeBuildId) current = await startBuild(dependencies, organisation, id);
      else {
        const report = await builds.report(record.codeBuildId);
        current = report
          ? await applyReport(dependencies, organisation, id, report)
          : await endBuild(dependencies, organisation, id, {
              status: 'failed',
              failure: { code: 'builder-lost', message: 'CodeBuild no longer knows the build.' },
            });
      }
    }
    if (current && isOver(current)) return closeBuild(dependencies, organisation, id);
    await lookAgainLater(dependencies, organisation, id, record.dueAt);
  };
}

/** Nothing was new: others get their turn before the next look. */
async function lookAgainLater(
  { table, now }: CloseDependencies,
  organisation: string,
  id: string,
  seen: string | undefined,
): Promise<void> {
  await advance<BuildRecord>(table, { organisation, collection: 'builds', id }, (current) =>
    isOver(current) || current.dueAt !== seen
      ? undefined
      : { set: openFields(organisation, current, new Date(now().getTime() + quietSeconds * 1000)) },
  );
}

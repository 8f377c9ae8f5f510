/**
 * Who waits for a build that was stopped before it began, which ends without an event: nobody else would tell them.
 * Only what needs nothing but the table is done here; an identical build that goes on by itself is the reconciler's.
 */
import { type AwaitBuildDependencies, settleAwaiting } from '../experiment/await-build.ts';
import { idKinds } from '../model/id.ts';
import type { Log } from '../observability/log.ts';
import { endWithBase } from './base-failed.ts';
import { followersOf } from './followers.ts';
import { type BuildRecord, isOver } from './record.ts';

export type StoppedDependencies = AwaitBuildDependencies & { log: Pick<Log, 'error'> };

/** Ends experiments and descendants of a build that made nothing. One that can't be ended holds up no other. */
export async function endFollowers(
  dependencies: StoppedDependencies,
  organisation: string,
  buildId: string,
): Promise<void> {
  const { table, log } = dependencies;
  for (const id of await followersOf(table, organisation, buildId)) {
    try {
      if (id.startsWith(`${idKinds.experiment}_`)) await settleAwaiting(dependencies, organisation, id);
      else {
        const record = (await table.get(organisation, 'builds', id)) as BuildRecord | undefined;
        if (!record || isOver(record) || !record.awaitsBases || record.attachedTo) continue;
        const { ended } = await endWithBase(dependencies, organisation, record);
        if (ended && isOver(ended)) await endFollowers(dependencies, organisation, id);
      }
    } catch (error) {
      log.error('who waits for a stopped build could not be ended', { organisation, buildId, id, error });
    }
  }
}

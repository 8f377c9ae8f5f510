/**
 * Who waits for a build that was stopped before it began, which ends without an event: nobody else would tell them.
 * Only what needs nothing but the table is done here; an identical build that goes on by itself is the reconciler's.
 */
import { type AwaitBuildDependencies, settleAwaiting } from '../experiment/await-build.ts';
import { isIdOf } from '../model/id.ts';
import type { Log } from '../observability/log.ts';
import { endWithBase } from './base-failed.ts';
import { eachFollower } from './followers.ts';
import { type BuildRecord, isOver } from './record.ts';

export type StoppedDependencies = AwaitBuildDependencies & { log: Pick<Log, 'error'> };

/** Ends experiments and descendants of a build that made nothing. */
export const endFollowers = (
  dependencies: StoppedDependencies,
  organisation: string,
  buildId: string,
): Promise<void> =>
  eachFollower(dependencies, organisation, buildId, async (id) => {
    if (isIdOf('experiment', id)) {
      await settleAwaiting(dependencies, organisation, id);
      return;
    }
    const record = (await dependencies.table.get(organisation, 'builds', id)) as BuildRecord | undefined;
    if (!record || isOver(record) || !record.awaitsBases || record.attachedTo) return;
    const { ended } = await endWithBase(dependencies, organisation, record);
    if (ended && isOver(ended)) await endFollowers(dependencies, organisation, id);
  });

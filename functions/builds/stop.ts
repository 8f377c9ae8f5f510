/** B7: asks for the end of a build; the end itself is confirmed by CodeBuild. */
import type { Builds } from '../../shared/aws/builds.ts';
import { endBuild } from '../../shared/build/end.ts';
import { type BuildRecord, isOver, openFields } from '../../shared/build/record.ts';
import { endFollowers, type StoppedDependencies } from '../../shared/build/stopped-followers.ts';
import { onTimeline } from '../../shared/build/timeline.ts';
import { notFound } from '../../shared/http/problem.ts';
import { advance } from '../../shared/store/advance.ts';

export interface StopDependencies extends StoppedDependencies {
  builds: Pick<Builds, 'stop'>;
}

/** A stop that was interrupted is finished by the reconciler after this long. */
const finishDueSeconds = 15;

/**
 * A build that CodeBuild was never asked for stops at once. Otherwise CodeBuild is asked to stop it, and again at
 * every call; where its id isn't known yet, whoever learns it passes the stop on. Throws 404.
 */
export async function stopBuild(
  dependencies: StopDependencies,
  { organisation, email, id }: { organisation: string; email: string; id: string },
): Promise<BuildRecord> {
  const { table, builds, now } = dependencies;
  const requestedAt = now();
  const time = requestedAt.toISOString();
  const moved = await advance<BuildRecord>(table, { organisation, collection: 'builds', id }, (current) => {
    if (isOver(current) || current.stopRequestedAt) return undefined;
    const timeline = onTimeline(current, [
      { time, code: 'stop-requested', message: `${email} asked to stop the build.` },
    ]);
    return {
      set: {
        stopRequestedAt: time,
        updatedAt: time,
        lastEventAt: timeline.lastEventAt,
        ...openFields(organisation, current, new Date(requestedAt.getTime() + finishDueSeconds * 1000)),
      },
      events: timeline.events,
    };
  });
  if (!moved) throw notFound('build');
  const { record } = moved;
  if (isOver(record)) return record;
  if (record.codeBuildId) {
    await builds.stop(record.codeBuildId);
    return record;
  }
  // Whoever starts builds marks them first, and finds the stop here when that was later.
  if (record.startingAt) return record;
  const ended = await endBuild(dependencies, organisation, id, { status: 'stopped' });
  await endFollowers(dependencies, organisation, id);
  return ended ?? record;
}

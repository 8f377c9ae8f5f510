/** The end of a build moves on whoever waits for it. */
import { type AwaitBuildDependencies, settleAwaiting } from '../experiment/await-build.ts';
import { type LaunchDependencies, launch } from '../experiment/launch.ts';
import { idKinds } from '../model/id.ts';
import { type DescendantDependencies, settleFollower } from './descendants.ts';
import { followersOf } from './followers.ts';
import { isOver } from './record.ts';

export type WakeDependencies = AwaitBuildDependencies & DescendantDependencies & LaunchDependencies;

/**
 * May be called again at any time, by anybody. One that can't be moved on holds up no other: each is open work, so
 * the reconciler comes to it by itself.
 */
export async function wakeFollowers(
  dependencies: WakeDependencies,
  organisation: string,
  buildId: string,
): Promise<void> {
  const { table, log } = dependencies;
  for (const id of await followersOf(table, organisation, buildId)) {
    try {
      await wake(dependencies, organisation, id);
    } catch (error) {
      log.error('who waits for a build could not be moved on', { organisation, buildId, id, error });
    }
  }
}

async function wake(dependencies: WakeDependencies, organisation: string, id: string): Promise<void> {
  if (id.startsWith(`${idKinds.experiment}_`)) {
    const experiment = await settleAwaiting(dependencies, organisation, id);
    if (experiment) await launch(dependencies, organisation, experiment, dependencies.now());
    return;
  }
  const build = await settleFollower(dependencies, organisation, id);
  // It ended with the other one, and may have followers of its own.
  if (build && isOver(build)) await wakeFollowers(dependencies, organisation, id);
}

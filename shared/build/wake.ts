/** The end of a build moves on whoever waits for it. */
import { type AwaitBuildDependencies, settleAwaiting } from '../experiment/await-build.ts';
import { type LaunchDependencies, launch } from '../experiment/launch.ts';
import { isIdOf } from '../model/id.ts';
import { type DescendantDependencies, settleFollower } from './descendants.ts';
import { eachFollower } from './followers.ts';
import { isOver } from './record.ts';

export type WakeDependencies = AwaitBuildDependencies & DescendantDependencies & LaunchDependencies;

/** May be called again at any time, by anybody. */
export const wakeFollowers = (
  dependencies: WakeDependencies,
  organisation: string,
  buildId: string,
): Promise<void> =>
  eachFollower(dependencies, organisation, buildId, async (id) => {
    if (isIdOf('experiment', id)) {
      const experiment = await settleAwaiting(dependencies, organisation, id);
      if (experiment) await launch(dependencies, organisation, experiment, dependencies.now());
      return;
    }
    const build = await settleFollower(dependencies, organisation, id);
    // It ended with the other one, and may have followers of its own.
    if (build && isOver(build)) await wakeFollowers(dependencies, organisation, id);
  });

/**
 * One event of CodeBuild's becomes the build's state. Events come twice, late, out of order or never: what they say
 * is applied to the record as it is, and a build that is over stays as it is. Throws to be invoked again.
 */
import { type CloseDependencies, closeBuild } from '../../shared/build/close.ts';
import { movesBuild } from '../../shared/build/phases.ts';
import { applyReport } from '../../shared/build/progress.ts';
import { isOver } from '../../shared/build/record.ts';
import { parseSpecKey } from '../../shared/model/build-keys.ts';
import { type BuildEvent, reportIn, specKeyIn } from './event.ts';

export async function takeIn(dependencies: CloseDependencies, event: BuildEvent): Promise<void> {
  const { builds, stage, log } = dependencies;
  const completed = event.detail['completed-phase'];
  if (completed !== undefined && !movesBuild(completed)) return;
  const told = reportIn(event);
  const { codeBuildId } = told;
  // Events have whole seconds, and may be old; CodeBuild itself knows better.
  const report = (await builds.report(codeBuildId)) ?? told;
  const key = specKeyIn(event) ?? (await builds.specOf(codeBuildId));
  const named = key === undefined ? undefined : parseSpecKey(key);
  if (!named || !stage.organisations.some(({ id }) => id === named.organisation)) {
    // Somebody started a build of the project by hand: it is none of ours.
    log.error('a build that Slipway has not started', { codeBuildId });
    return;
  }
  const { organisation, buildId } = named;
  const record = await applyReport(dependencies, organisation, buildId, {
    ...report,
    ...(told.outcome && !report.outcome
      ? { outcome: told.outcome, endedAt: told.endedAt ?? event.time }
      : {}),
  });
  if (record && isOver(record)) await closeBuild(dependencies, organisation, buildId);
}

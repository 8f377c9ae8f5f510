/** What an image says of a build that has just been accepted for it. */
import { conflict } from '../../http/problem.ts';
import { requireStaying } from '../../images/find.ts';
import type { ImageRecord } from '../../images/record.ts';

export const underWay = (buildId: string, cached = false) => ({
  currentBuild: { id: buildId, status: 'queued' as const, cached },
  activeBuildId: buildId,
  lastBuildId: buildId,
});

/** Throws 409 while another build than this one is under way (`build-in-progress`), and for an image that is leaving. */
export function requireFree(image: ImageRecord, buildId: string): void {
  const { activeBuildId } = image;
  if (activeBuildId && activeBuildId !== buildId)
    throw conflict(
      'build-in-progress',
      `Build ${activeBuildId} of this image is in progress. Wait for it, or stop it first.`,
      [activeBuildId],
    );
  requireStaying(image);
}

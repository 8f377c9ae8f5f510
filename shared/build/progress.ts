/** What CodeBuild says of a build, whoever asked or was told, becomes the build's state. */
import type { Artifacts } from '../aws/artifacts.ts';
import type { BuildReport, Builds } from '../aws/builds.ts';
import { findImage, type ImageRecord, imageItem } from '../images/record.ts';
import { advance, putWrite } from '../store/advance.ts';
import { type Table, versionIs, type Write } from '../store/table.ts';
import { endBuild, endOf } from './end.ts';
import { phaseEvents, startOf } from './phases.ts';
import { type BuildRecord, isOver, openFields, statusFields } from './record.ts';
import { readResult } from './result.ts';
import { quietSeconds, submitted } from './start.ts';
import { onTimeline } from './timeline.ts';

export interface ProgressDependencies {
  table: Table;
  artifacts: Artifacts;
  builds: Builds;
  now: () => Date;
}

/** Reports may come twice, late and out of order. Answers the record as it is then; nothing where there is none. */
export async function applyReport(
  dependencies: ProgressDependencies,
  organisation: string,
  buildId: string,
  report: BuildReport,
): Promise<BuildRecord | undefined> {
  const record = await moveOn(dependencies, organisation, buildId, report);
  if (record && isOver(record)) {
    // Given up, or stopped while nobody knew that CodeBuild has it: what it pushed now would move a tag.
    if (report.outcome === undefined && hasEndedWithout(record, report))
      await dependencies.builds.stop(report.codeBuildId);
    return record;
  }
  if (!record) return record;
  if (report.outcome === undefined) {
    // A stop that was asked for while nobody knew CodeBuild's id.
    if (record.stopRequestedAt) await dependencies.builds.stop(report.codeBuildId);
    return record;
  }
  const result = await readResult(dependencies.artifacts, organisation, buildId);
  return endBuild(dependencies, organisation, buildId, {
    ...endOf(record, report.outcome, result, report.phases),
    phases: report.phases,
    ...(report.endedAt ? { endedAt: report.endedAt } : {}),
  });
}

/** Whether the record ended though no report of this run said so; late reports of a run that has ended say nothing. */
const hasEndedWithout = ({ codeBuildId, failure }: BuildRecord, report: BuildReport) =>
  codeBuildId !== report.codeBuildId || failure?.code === 'builder-lost';

/** Phases and CodeBuild's id, which an event may know before whoever started the build could write it. */
async function moveOn(
  { table, now }: ProgressDependencies,
  organisation: string,
  buildId: string,
  report: BuildReport,
): Promise<BuildRecord | undefined> {
  const time = now();
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    async (current) => {
      if (isOver(current)) return undefined;
      const news = phaseEvents(current, report.phases);
      if (news.events.length === 0 && current.codeBuildId) return undefined;
      const first = current.codeBuildId ? [] : [submitted(current, report.codeBuildId, time)];
      const timeline = onTimeline(current, [...first, ...news.events]);
      const startedAt = current.startedAt ?? startOf(current, news);
      const image =
        news.to && news.to.status !== current.status && current.kind !== 'validation'
          ? await findImage(table, organisation, current.imageId)
          : undefined;
      return {
        set: {
          codeBuildId: report.codeBuildId,
          phasesSeen: news.seen,
          updatedAt: time.toISOString(),
          lastEventAt: timeline.lastEventAt,
          ...(news.to ? { phase: news.to.phase, ...statusFields(buildId, news.to.status) } : {}),
          ...(startedAt ? { startedAt } : {}),
          ...openFields(organisation, current, new Date(time.getTime() + quietSeconds * 1000)),
        },
        events: timeline.events,
        ...(image && news.to
          ? { also: [imageDuring(table, organisation, image, buildId, news.to.status)] }
          : {}),
      };
    },
  );
  return moved?.record;
}

function imageDuring(
  table: Table,
  organisation: string,
  image: ImageRecord,
  buildId: string,
  status: BuildRecord['status'],
): Write {
  const mine = image.activeBuildId === buildId;
  const next = {
    ...image,
    version: image.version + 1,
    ...(mine ? { currentBuild: { id: buildId, status, cached: false } } : {}),
  };
  return putWrite(table, imageItem(table, organisation, next), versionIs(image.version));
}

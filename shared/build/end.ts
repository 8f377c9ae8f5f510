/** The end of a build: its record, its image, its place on the compute and the mail that is due, all or none. */
import type { Outcome, PhaseReport } from '../aws/builds.ts';
import { findImage, type ImageRecord, imageItem } from '../images/record.ts';
import type { BuildFailure, BuildKind, Mirror } from '../model/build.ts';
import type { BuildResult } from '../model/build-spec.ts';
import type { Settings } from '../model/organisation.ts';
import { type BuildStatus, mayFollow } from '../model/states.ts';
import type { Validation } from '../model/validation.ts';
import { advance, type NewEvent, putWrite } from '../store/advance.ts';
import { getSettings } from '../store/settings.ts';
import { type Table, versionIs, type Write } from '../store/table.ts';
import { latest } from '../store/timeline.ts';
import { forgetDigest } from './bases.ts';
import { releaseClaim } from './claims.ts';
import { writesAfter } from './other-jobs.ts';
import { phaseEvents, startOf } from './phases.ts';
import { type BuildRecord, type MailState, openFields, statusFields } from './record.ts';
import { releaseSlot } from './slots.ts';
import { onTimeline } from './timeline.ts';

/** How a build ended, once that is known. */
export interface End {
  status: Extract<BuildStatus, 'succeeded' | 'failed' | 'stopped' | 'timed_out'>;
  failure?: BuildFailure;
  /** Its author hears of it by another mail. */
  isTold?: boolean;
  pushed?: { digest: string; sizeBytes?: number | undefined; platforms?: string[] | undefined };
  /** Of a mirror, beside `pushed`. */
  mirror?: Mirror;
  validation?: Validation;
  endedAt?: string;
  /** Phases that may not be on the timeline yet. */
  phases?: PhaseReport[];
}

export interface EndDependencies {
  table: Table;
  now: () => Date;
}

/** Log and mail follow at once; where they don't, the reconciler looks after this long. */
const closeDueSeconds = 20;

/** Ends the build, unless it is over: terminal states don't change. Answers the record as it is then. */
export async function endBuild(
  { table, now }: EndDependencies,
  organisation: string,
  buildId: string,
  end: End,
): Promise<BuildRecord | undefined> {
  const time = now();
  const { settings } = await getSettings(table, organisation);
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    async (current) => {
      if (!mayFollow('build', current.status, end.status)) return undefined;
      const image = await findImage(table, organisation, current.imageId);
      const phases = phaseEvents(current, end.phases ?? []);
      const startedAt = current.startedAt ?? startOf(current, phases);
      const finishedAt = latest(end.endedAt ?? time.toISOString(), current.createdAt, startedAt);
      const mail = mailAfter(end, settings);
      const timeline = onTimeline(current, [...phases.events, endEvent(current, end, finishedAt)]);
      const claimed =
        current.claim !== undefined && end.status !== 'succeeded'
          ? await table.get(organisation, 'build-claims', current.claim)
          : undefined;
      // What was never started has no log to keep.
      const logComplete = !current.codeBuildId;
      const ended = { ...current, status: end.status, mail, logComplete };
      return {
        set: {
          ...statusFields(buildId, end.status),
          phase: 'finished',
          phasesSeen: phases.seen,
          finishedAt,
          updatedAt: time.toISOString(),
          ...(startedAt ? { startedAt, durationSeconds: secondsBetween(startedAt, finishedAt) } : {}),
          ...(end.failure ? { failure: end.failure } : {}),
          ...(end.pushed ? { digest: end.pushed.digest, sizeBytes: end.pushed.sizeBytes } : {}),
          ...(end.mirror ? { mirror: end.mirror } : {}),
          ...(end.validation ? { validation: end.validation } : {}),
          hasSlot: false,
          mail,
          logComplete,
          lastEventAt: timeline.lastEventAt,
          ...openFields(organisation, ended, new Date(time.getTime() + closeDueSeconds * 1000)),
        },
        events: timeline.events,
        also: [
          ...(current.hasSlot ? [releaseSlot(table, organisation, current.compute, buildId)] : []),
          // A check changes nothing about the image, whatever comes of it.
          ...(image && current.kind !== 'validation'
            ? [imageAfter(table, organisation, image, current, end, time)]
            : []),
          ...(await writesAfter(table, organisation, current, image, end, time)),
          // Even one that ended badly may have pushed before it did.
          ...(current.kind !== 'validation' && current.push !== false
            ? [forgetDigest(table, organisation, current.uri, time)]
            : []),
          // What didn't succeed is not remembered.
          ...(current.claim !== undefined && claimed?.buildId === buildId
            ? [releaseClaim(table, organisation, current.claim, buildId)]
            : []),
        ],
      };
    },
  );
  return moved?.record;
}

const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;

function mailAfter({ status, isTold }: End, { notifications }: Settings): MailState {
  if (isTold || notifications.preference === 'never' || status === 'stopped') return 'skipped';
  return notifications.preference === 'errors' && status === 'succeeded' ? 'skipped' : 'due';
}

/** A ready image stays what it is until a build has succeeded. */
function imageAfter(
  table: Table,
  organisation: string,
  image: ImageRecord,
  { id: buildId, kind, cached, push }: Pick<BuildRecord, 'id' | 'kind' | 'cached' | 'push'>,
  { status, pushed }: End,
  time: Date,
): Write {
  const { activeBuildId, ...rest } = image;
  const mine = activeBuildId === buildId;
  const wanted = pushed ? 'ready' : 'failed';
  const next: ImageRecord = {
    ...(mine ? rest : image),
    version: image.version + 1,
    // Where nothing was to be pushed, nothing has come of it for the image (B13).
    status: push !== false && mayFollow('image', image.status, wanted) ? wanted : image.status,
    updatedAt: time.toISOString(),
    ...(pushed
      ? {
          digest: pushed.digest,
          sizeBytes: pushed.sizeBytes,
          platforms: pushed.platforms,
        }
      : {}),
    ...(pushed && kind !== 'validation' ? { source: kind } : {}),
    ...(mine ? { currentBuild: { id: buildId, status, cached } } : {}),
  };
  return putWrite(table, imageItem(table, organisation, next), versionIs(image.version));
}

const succeeded: Record<BuildKind, (uri: string) => string> = {
  build: (uri) => `Pushed ${uri}.`,
  mirror: (uri) => `Mirrored to ${uri}.`,
  validation: (uri) => `Checked ${uri}.`,
};

function endEvent(current: BuildRecord, { status, failure, pushed }: End, finishedAt: string): NewEvent {
  const messages: Record<End['status'], string> = {
    succeeded:
      current.push === false
        ? `Built ${current.uri} without pushing it.`
        : succeeded[current.kind](current.uri),
    failed: failure?.message ?? 'The build failed.',
    stopped: 'Stopped.',
    timed_out: failure?.message ?? 'The build took too long.',
  };
  return {
    time: finishedAt,
    code: status,
    message: messages[status],
    ...(failure
      ? { detail: { code: failure.code, ...(failure.step ? { step: failure.step } : {}) } }
      : pushed
        ? {
            detail: {
              digest: pushed.digest,
              ...(pushed.sizeBytes === undefined ? {} : { sizeBytes: pushed.sizeBytes }),
            },
          }
        : {}),
  };
}

/**
 * What CodeBuild's outcome and the builder's result mean together. An image that was pushed was pushed, whatever
 * happened to the machine afterwards; without a result it is the builder that failed.
 */
export function endOf(
  record: Pick<BuildRecord, 'stopRequestedAt'>,
  outcome: Outcome,
  result: BuildResult | undefined,
  phases: PhaseReport[],
): Pick<End, 'status' | 'failure' | 'pushed' | 'mirror' | 'validation'> {
  if (result?.outcome === 'succeeded') {
    const { digest, sizeBytes, platform } = result;
    return {
      status: 'succeeded',
      pushed: { digest, sizeBytes, platforms: platform === undefined ? undefined : [platform] },
    };
  }
  if (result?.outcome === 'mirrored') {
    const { digest, sizeBytes, platforms, mirror } = result;
    return {
      status: 'succeeded',
      pushed: { digest, sizeBytes, platforms },
      mirror,
    };
  }
  if (result?.outcome === 'built') return { status: 'succeeded' };
  if (result?.outcome === 'validated') return { status: 'succeeded', validation: result.validation };
  if (outcome === 'STOPPED') return { status: 'stopped' };
  if (outcome === 'TIMED_OUT') {
    const queued = !phases.some(({ type }) => type === 'PROVISIONING');
    return {
      status: 'timed_out',
      failure: {
        code: queued ? 'queue-timeout' : 'timed-out',
        message: queued
          ? 'CodeBuild had no free machine within the time that builds may wait.'
          : 'The build took longer than the deployment allows.',
      },
    };
  }
  if (result?.outcome === 'failed') {
    // A build that was ended from outside may have blamed its step for it.
    if (record.stopRequestedAt && outcome !== 'FAILED') return { status: 'stopped' };
    return { status: 'failed', failure: result.failure };
  }
  const broken = phases.findLast((phase) => phase.outcome !== 'SUCCEEDED');
  const said = broken?.message ? `: ${broken.message}` : '';
  return {
    status: 'failed',
    failure: {
      code: 'builder-failed',
      message: broken
        ? `The builder ended in phase ${broken.type} (${broken.outcome})${said}.`
        : 'The builder ended without a result.',
    },
  };
}

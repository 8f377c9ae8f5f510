/** Writes an accepted build: record, request, place on a compute and image, all or none; then has it started. */

import { lintBuild, lintEvents } from '../../dockerfile/report.ts';
import type { Asking } from '../../http/asking.ts';
import { busy } from '../../http/problem.ts';
import { eventWrites, type NewEvent, putWrite } from '../../store/advance.ts';
import { pauseAfter } from '../../store/contention.ts';
import { absent, ConditionFailedError, columnKey, type Item, type Write } from '../../store/table.ts';
import { settleAttached } from '../attached.ts';
import { isClaim, takeClaim } from '../claims.ts';
import { buildComputes } from '../computes.ts';
import { followWrite } from '../followers.ts';
import { identityOfJob, isBuild, type JobRequest, jobRequestWrite, kindOf } from '../job-request.ts';
import { type BuildRecord, openFields, statusFields } from '../record.ts';
import { awaitedIn } from '../request.ts';
import { chooseCompute, takeSlot } from '../slots.ts';
import { startBuild, startDueSeconds } from '../start.ts';
import type { AcceptDependencies } from './dependencies.ts';
import { type Claim, ClaimedError } from './identical.ts';

export interface NewBuild {
  id: string;
  imageId: string;
  uri: string;
  registryId: string;
  /** Of a mirror: the image that is mirrored. */
  sourceImageId?: string;
  request: JobRequest;
  /** B8: what identical requests find it by; absent where nobody else may. */
  claim?: Claim;
  /** B8: the identical build whose image it gets, in place of building. */
  attachedTo?: BuildRecord;
  /** That identical builds don't count. */
  forced?: boolean;
  /** What the one who asked should know, for the timeline. */
  warnings?: string[];
}

const attempts = 10;

/**
 * Answers the build, or the one that is there by this id already. `imageWrites` change the image with it; where one
 * of them is refused, `refused` throws the problem that says so, or returns to have everything decided again. Throws
 * `ClaimedError` where another build came to hold the claim.
 */
export async function placeBuild(
  dependencies: AcceptDependencies,
  asking: Asking,
  build: NewBuild,
  imageWrites: () => Promise<Write[]>,
  refused: (existing: Item) => void,
): Promise<BuildRecord> {
  const { table, stage } = dependencies;
  const { organisation } = asking;
  const computes = buildComputes(stage);
  const wanted = build.request.computes.flatMap((name) => computes.filter((one) => one.name === name));
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const chosen = await chooseCompute(table, organisation, wanted);
    const { compute } = chosen;
    const { claim, attachedTo } = build;
    const waitsFor = isBuild(build.request) ? awaitedIn(build.request.bases) : [];
    const hasRoom = chosen.hasRoom && !attachedTo && waitsFor.length === 0;
    const { record, events } = recordOf(asking, build, compute.name, hasRoom, waitsFor);
    try {
      await table.transact([
        putWrite(table, { ...record, ...table.key(organisation, 'builds', build.id) }, absent),
        jobRequestWrite(table, organisation, build.id, build.request),
        ...eventWrites(table, organisation, build.id, 0, events),
        ...(claim && !attachedTo ? [takeClaim(table, organisation, claim.name, build, claim.seen)] : []),
        ...[...waitsFor, ...(attachedTo ? [attachedTo.id] : [])].map((one) =>
          followWrite(table, organisation, one, build.id),
        ),
        ...(await imageWrites()),
        ...(hasRoom ? [takeSlot(table, organisation, compute, build.id)] : []),
      ]);
      return record;
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      // The build's own record comes first in the transaction: it isn't there yet.
      if (isClaim(error.existing)) throw new ClaimedError(error.existing);
      const first = (await table.get(organisation, 'builds', build.id)) as BuildRecord | undefined;
      if (first) return first;
      if (error.existing && !('holders' in error.existing)) refused(error.existing);
      await pauseAfter(attempt);
    }
  }
  throw busy('Too many builds are being accepted at the same time. Try again.');
}

const isPushed = (request: JobRequest) => !isBuild(request) || request.push !== false;

/** What was asked to happen to the image. */
const asked = { build: 'build', mirror: 'mirror', validation: 'check' };

function recordOf(
  { organisation, email, now }: Asking,
  {
    id,
    imageId,
    uri,
    registryId,
    sourceImageId,
    request,
    claim,
    attachedTo,
    forced,
    warnings = [],
  }: NewBuild,
  compute: string,
  hasRoom: boolean,
  waitsFor: string[],
): { record: BuildRecord; events: NewEvent[] } {
  const time = now.toISOString();
  const lint = isBuild(request) ? lintBuild(request) : [];
  const events: NewEvent[] = [
    {
      time,
      code: 'accepted',
      message: `${email} asked to ${asked[kindOf(request)]} ${uri} on ${compute}${isPushed(request) ? '' : ' without pushing it'}.`,
    },
    ...lintEvents(lint, time),
    ...warnings.map((message) => ({ time, code: 'warning', message })),
    ...(attachedTo ? [{ time, code: 'attached', message: attachedMessage(attachedTo) }] : []),
    ...(hasRoom || attachedTo ? [] : [{ time, code: 'waiting', message: waitingMessage(compute, waitsFor) }]),
  ];
  const state = { ...statusFields(id, 'queued'), mail: 'none', logComplete: false } as const;
  const record: BuildRecord = {
    id,
    version: 1,
    eventCount: events.length,
    kind: kindOf(request),
    imageId,
    phase: hasRoom ? 'queued' : 'waiting',
    compute,
    identity: identityOfJob(request),
    cached: attachedTo !== undefined,
    ...(attachedTo ? { attachedTo: attachedTo.id } : {}),
    ...(waitsFor.length > 0 ? { waitsFor, awaitsBases: true, ...(forced ? { forced } : {}) } : {}),
    ...(claim ? { claim: claim.name } : {}),
    uri,
    registryId,
    isGenerated: isBuild(request) && request.from ? true : undefined,
    ...(isPushed(request) ? {} : { push: false }),
    ...(lint.length > 0 ? { warnings: lint } : {}),
    ...(sourceImageId === undefined ? {} : { sourceImageId }),
    author: email,
    createdAt: time,
    updatedAt: time,
    hasSlot: hasRoom,
    phasesSeen: [],
    lastEventAt: time,
    ...state,
    authorKey: columnKey(email, id),
    imageKey: columnKey(imageId, id),
    ...openFields(organisation, state, new Date(now.getTime() + startDueSeconds * 1000)),
  };
  return { record, events };
}

const attachedMessage = ({ id, status }: BuildRecord) =>
  status === 'succeeded'
    ? `Build ${id} already built exactly this. Slipway tags its image with this name too.`
    : `Build ${id} is building exactly this. Slipway will tag its image with this name too.`;

const waitingMessage = (compute: string, waitsFor: string[]) =>
  waitsFor.length > 0
    ? `Waiting for the base images that ${waitsFor.join(', ')} will build.`
    : `Waiting for a free ${compute} slot.`;

/** Has an accepted build started. What goes wrong here is the reconciler's to finish: the build is accepted. */
export async function tryStart(
  dependencies: AcceptDependencies,
  organisation: string,
  buildId: string,
): Promise<void> {
  try {
    const record = await startBuild(dependencies, organisation, buildId);
    if (record?.attachedTo) await settleAttached(dependencies, organisation, buildId);
  } catch (error) {
    dependencies.log.error('the build was accepted but not started yet', { organisation, buildId, error });
  }
}

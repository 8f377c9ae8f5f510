/** Brings an accepted build to CodeBuild. May be called any number of times, by anybody, at the same time. */
import type { Artifacts } from '../aws/artifacts.ts';
import { type Builds, StartDelayedError, StartRefusedError } from '../aws/builds.ts';
import type { Repositories } from '../aws/repositories.ts';
import type { BuildFailure } from '../model/build.ts';
import { specKey } from '../model/build-keys.ts';
import type { Stage } from '../model/stage.ts';
import type { Log } from '../observability/log.ts';
import { advance, type NewEvent } from '../store/advance.ts';
import type { RegistryStore } from '../store/registries.ts';
import type { Table } from '../store/table.ts';
import { buildCompute } from './computes.ts';
import { endBuild } from './end.ts';
import { readJobRequest } from './job-request.ts';
import { jobSpecOf, repositoriesOf } from './job-spec.ts';
import { type BuildRecord, isOver, openFields, stopsUnstarted } from './record.ts';
import { onTimeline } from './timeline.ts';

export interface StartDependencies {
  table: Table;
  stage: Stage;
  builds: Builds;
  repositories: Repositories;
  artifacts: Artifacts;
  registries: RegistryStore;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
  now: () => Date;
  log: Pick<Log, 'error'>;
}

/** CodeBuild answers the same build to the same token for five minutes; after that nobody can tell whether it runs. */
const tokenSeconds = 240;
/** A start that fails for reasons that nobody knows is tried for this long. */
const patienceSeconds = 3600;
/** A start that CodeBuild puts off is tried again after this long, for as long as builds may wait for a machine. */
const delaySeconds = 30;
/** A start that was interrupted is finished by the reconciler after this long. */
export const startDueSeconds = 15;
/** A running build that nothing was heard of for this long is asked about. */
export const quietSeconds = 120;

/**
 * Answers the record as it is afterwards; nothing where there is no such build. A build that waits for its compute,
 * has been started, or is over, is left alone. Throws what may pass: the reconciler tries again.
 */
export async function startBuild(
  dependencies: StartDependencies,
  organisation: string,
  buildId: string,
): Promise<BuildRecord | undefined> {
  const { table, builds, stage, now } = dependencies;
  const seen = (await table.get(organisation, 'builds', buildId)) as BuildRecord | undefined;
  if (seen && stopsUnstarted(seen)) return endStopped(dependencies, organisation, buildId);
  if (!seen || !mayStart(seen)) return seen;
  const failure = givenUp(seen, now());
  if (failure) return endBuild(dependencies, organisation, buildId, { status: 'failed', failure });
  // An earlier try may have reached CodeBuild though its answer was lost.
  let isFirstTry = false;
  try {
    await prepare(dependencies, organisation, seen);
    const { record, isMarked } = await mark(dependencies, organisation, buildId);
    isFirstTry = isMarked;
    if (record && stopsUnstarted(record)) return await endStopped(dependencies, organisation, buildId);
    if (!record || !mayStart(record)) return record;
    const codeBuildId = await builds.start({
      organisation,
      buildId,
      computeType: buildCompute(stage, record.compute)?.computeType ?? 'BUILD_GENERAL1_SMALL',
      timeoutSeconds: stage.buildTimeoutSeconds,
    });
    return await confirm(dependencies, organisation, buildId, codeBuildId);
  } catch (error) {
    if (error instanceof StartDelayedError)
      return await putOff(dependencies, organisation, buildId, { reason: error.message, isFirstTry });
    if (!(error instanceof StartRefusedError)) throw error;
    const message = `CodeBuild refused to start the build: ${error.message}`;
    return endBuild(dependencies, organisation, buildId, {
      status: 'failed',
      failure: { code: 'start-refused', message },
    });
  }
}

const mayStart = (record: BuildRecord) => !isOver(record) && !record.codeBuildId && record.hasSlot;

const endStopped = (dependencies: StartDependencies, organisation: string, buildId: string) =>
  endBuild(dependencies, organisation, buildId, { status: 'stopped' });

function givenUp({ startingAt, delayedAt, lastEventAt }: BuildRecord, now: Date): BuildFailure | undefined {
  const olderThan = (time: string, seconds: number) => now.getTime() - Date.parse(time) > seconds * 1000;
  if (startingAt && olderThan(startingAt, tokenSeconds))
    return {
      code: 'builder-lost',
      message: 'CodeBuild reported nothing about the build after Slipway asked to start it.',
    };
  if (!delayedAt && olderThan(lastEventAt, patienceSeconds))
    return { code: 'start-refused', message: 'CodeBuild did not start the build within an hour.' };
  return undefined;
}

/** Puts everything into place that the builder will look for. */
async function prepare(
  { table, stage, repositories, artifacts, registries, ecrRegistry }: StartDependencies,
  organisation: string,
  record: BuildRecord,
): Promise<void> {
  const [request, known] = await Promise.all([
    readJobRequest(table, organisation, record.id),
    registries.all(organisation),
  ]);
  if (!request) throw new StartRefusedError('what was asked for is gone');
  const spec = jobSpecOf(record, request, {
    organisation,
    ecrRegistry,
    registries: known,
    privateRegistries: stage.privateRegistries,
    certificateAuthorities: stage.privateCertificateAuthorities,
  });
  await Promise.all([
    artifacts.write(specKey(organisation, record.id), JSON.stringify(spec), 'application/json'),
    ...repositoriesOf(spec, ecrRegistry).map((name) => repositories.ensure(name, organisation)),
  ]);
}

/** From here on nobody but CodeBuild can say whether it was started: a stop has to wait for its answer. */
async function mark({ table, now }: StartDependencies, organisation: string, buildId: string) {
  const marked = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    (current) =>
      mayStart(current) && !current.startingAt && !current.stopRequestedAt
        ? { set: { startingAt: now().toISOString() } }
        : undefined,
  );
  return { record: marked?.record, isMarked: marked?.moved ?? false };
}

/**
 * It is tried again soon, unless it is to stop or has waited for too long. After a first try nobody was asked, as it
 * were; after an earlier one the mark stays, and with it CodeBuild's word is waited for.
 */
async function putOff(
  dependencies: StartDependencies,
  organisation: string,
  buildId: string,
  { reason, isFirstTry }: { reason: string; isFirstTry: boolean },
): Promise<BuildRecord | undefined> {
  const { table, stage, now } = dependencies;
  const time = now();
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    (current) => {
      if (!mayStart(current)) return undefined;
      // One entry tells of all tries.
      const timeline = onTimeline(
        current,
        current.delayedAt
          ? []
          : [
              {
                time: time.toISOString(),
                code: 'start-delayed',
                message: `CodeBuild did not start the build yet. Slipway will ask again. ${reason}`,
              },
            ],
      );
      return {
        set: {
          ...(isFirstTry ? { startingAt: undefined } : {}),
          delayedAt: current.delayedAt ?? time.toISOString(),
          updatedAt: time.toISOString(),
          lastEventAt: timeline.lastEventAt,
          ...openFields(organisation, current, new Date(time.getTime() + delaySeconds * 1000)),
        },
        events: timeline.events,
      };
    },
  );
  if (!moved?.moved) return moved?.record;
  const { record } = moved;
  if (stopsUnstarted(record)) return endStopped(dependencies, organisation, buildId);
  const waitedMs = time.getTime() - Date.parse(record.delayedAt ?? record.updatedAt);
  if (waitedMs <= stage.queueTimeoutSeconds * 1000) return record;
  const message = `CodeBuild did not start the build within ${stage.queueTimeoutSeconds} seconds: ${reason}`;
  return endBuild(dependencies, organisation, buildId, {
    status: 'failed',
    failure: { code: 'start-refused', message },
  });
}

/** For whoever learns CodeBuild's id first: who asked it, or who hears its first event. */
export const submitted = ({ startingAt }: BuildRecord, codeBuildId: string, now: Date): NewEvent => ({
  // CodeBuild may have begun with it before it answered.
  time: startingAt ?? now.toISOString(),
  code: 'submitted',
  message: 'CodeBuild accepted the build.',
  detail: { codeBuildId },
});

/** Records CodeBuild's id, and passes on a stop that was asked for in between. */
async function confirm(
  { table, builds, now }: StartDependencies,
  organisation: string,
  buildId: string,
  codeBuildId: string,
): Promise<BuildRecord | undefined> {
  const time = now();
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id: buildId },
    (current) => {
      if (isOver(current) || current.codeBuildId) return undefined;
      const timeline = onTimeline(current, [submitted(current, codeBuildId, time)]);
      return {
        set: {
          codeBuildId,
          updatedAt: time.toISOString(),
          lastEventAt: timeline.lastEventAt,
          ...openFields(organisation, current, new Date(time.getTime() + quietSeconds * 1000)),
        },
        events: timeline.events,
      };
    },
  );
  if (!moved) return undefined;
  if (moved.record.stopRequestedAt || isOver(moved.record)) await builds.stop(codeBuildId);
  return moved.record;
}

/**
 * B12: an experiment that runs in an image which is being built. Nothing runs while it waits: whoever hears of the
 * build's end moves it on. May be called any number of times, by anybody, at the same time.
 */
import type { BuildRecord } from '../build/record.ts';
import { isOver as isBuildOver } from '../build/record.ts';
import type { Stage } from '../model/stage.ts';
import { advance } from '../store/advance.ts';
import type { Table } from '../store/table.ts';
import { changeOf, type Step } from './change.ts';
import { failed } from './conclusion.ts';
import { type ExperimentRecord, waitsForBuild } from './record.ts';

export interface AwaitBuildDependencies {
  table: Table;
  stage: Pick<Stage, 'queueTimeoutSeconds'>;
  now: () => Date;
}

/** Answers the experiment as it is afterwards: to be launched, over, or still waiting; nothing where there is none. */
export async function settleAwaiting(
  { table, stage, now }: AwaitBuildDependencies,
  organisation: string,
  experimentId: string,
): Promise<ExperimentRecord | undefined> {
  const at = { organisation, collection: 'experiments', id: experimentId } as const;
  const seen = (await table.get(organisation, at.collection, at.id)) as ExperimentRecord | undefined;
  if (!seen?.build || !waitsForBuild(seen)) return seen;
  const build = (await table.get(organisation, 'builds', seen.build.id)) as BuildRecord | undefined;
  if (build && !isBuildOver(build)) return seen;
  const circumstances = { organisation, now: now(), queueTimeoutSeconds: stage.queueTimeoutSeconds };
  const moved = await advance<ExperimentRecord>(table, at, (current) =>
    changeOf(current, circumstances, buildEnded(build)),
  );
  return moved?.record;
}

/** The digest is the build's own: its tag may name another image by now. */
const buildEnded =
  (build: BuildRecord | undefined): Step =>
  (record, circumstances) => {
    if (!record.build || !waitsForBuild(record)) return undefined;
    const ended = { ...record.build, ...(build ? { status: build.status } : {}) };
    if (build?.status === 'succeeded' && build.digest !== undefined) {
      const { id, uri, digest } = build;
      return {
        set: { build: ended, image: { rule: 'build', uri, digest } },
        entries: [
          {
            time: circumstances.now.toISOString(),
            code: 'image-built',
            message: `${id} has built ${uri} at ${digest}.`,
            detail: { buildId: id, uri, digest },
          },
        ],
      };
    }
    const message = build ? failureOf(build) : `Build ${record.build.id} no longer exists.`;
    const move = failed({ code: 'build-failed', message })(record, circumstances);
    return move && { ...move, set: { ...move.set, build: ended } };
  };

function failureOf({ id, status, failure }: BuildRecord): string {
  if (status === 'stopped') return `Build ${id} was stopped.`;
  return `The build ${id} failed: ${failure ? `${failure.message} (${failure.code})` : status}`;
}

/**
 * B8: a build of another tag that is identical to one under way or finished. It waits for that one, then its tag gets
 * the finished manifest. May be called any number of times, by anybody, at the same time.
 */
import { RegistryError } from '../registry/model.ts';
import { advance } from '../store/advance.ts';
import type { Table } from '../store/table.ts';
import { holderOf, takeClaim } from './claims.ts';
import { endBuild } from './end.ts';
import { followWrite } from './followers.ts';
import { type BuildRecord, isOver, openFields } from './record.ts';
import { platform } from './request.ts';
import { onTimeline } from './timeline.ts';

/** Gives the manifest `digest` beside `from` the tag of `to`, in the same repository. Throws `RegistryError`. */
export type CopyTag = (organisation: string, from: string, digest: string, to: string) => Promise<void>;

export interface AttachedDependencies {
  table: Table;
  copyTag: CopyTag;
  now: () => Date;
}

/** Answers the record as it is afterwards. Throws what may pass: the reconciler tries again. */
export async function settleAttached(
  dependencies: AttachedDependencies,
  organisation: string,
  buildId: string,
): Promise<BuildRecord | undefined> {
  const { table, copyTag } = dependencies;
  const record = (await table.get(organisation, 'builds', buildId)) as BuildRecord | undefined;
  if (!record?.attachedTo || isOver(record)) return record;
  const first = (await table.get(organisation, 'builds', record.attachedTo)) as BuildRecord | undefined;
  if (first && !isOver(first)) return record;
  if (first?.status === 'succeeded' && first.digest !== undefined) {
    const { digest, sizeBytes } = first;
    try {
      await copyTag(organisation, first.uri, digest, record.uri);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return detach(
        dependencies,
        organisation,
        record,
        `Slipway could not reuse the finished image: ${error.message}.`,
      );
    }
    return endBuild(dependencies, organisation, buildId, {
      status: 'succeeded',
      pushed: { digest, sizeBytes, platforms: [platform] },
    });
  }
  if (first?.failure && first.status !== 'stopped')
    return endBuild(dependencies, organisation, buildId, { status: 'failed', failure: first.failure });
  // Somebody stopped the other one: that was not asked of this one.
  return detach(
    dependencies,
    organisation,
    record,
    `Build ${record.attachedTo} was stopped, so this build starts on its own.`,
  );
}

/** It becomes a build of its own, or waits for the one that did so before it. */
async function detach(
  { table, now }: AttachedDependencies,
  organisation: string,
  { id, attachedTo }: BuildRecord,
  message: string,
): Promise<BuildRecord | undefined> {
  const time = now();
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id },
    async (current) => {
      const { claim } = current;
      if (isOver(current) || current.attachedTo !== attachedTo || claim === undefined) return undefined;
      const holder = (await holderOf(table, organisation, claim))?.buildId;
      const other = holder !== undefined && holder !== attachedTo && holder !== id ? holder : undefined;
      const timeline = onTimeline(current, [
        {
          time: time.toISOString(),
          code: other ? 'attached' : 'detached',
          message: other
            ? `${message.replace(/, so this build.*/, '')}. Build ${other} is identical too.`
            : message,
        },
      ]);
      return {
        set: {
          attachedTo: other,
          ...(attachedTo === undefined ? {} : { detachedFrom: attachedTo }),
          cached: other !== undefined,
          updatedAt: time.toISOString(),
          lastEventAt: timeline.lastEventAt,
          ...openFields(organisation, current, time),
        },
        events: timeline.events,
        also: [
          other
            ? followWrite(table, organisation, other, id)
            : takeClaim(table, organisation, claim, current, holder ?? attachedTo),
        ],
      };
    },
  );
  return moved?.record;
}

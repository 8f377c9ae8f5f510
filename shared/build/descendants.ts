/**
 * B14: a build on images that other builds are making. It waits for all of them, ends where one of them fails, and is
 * built from exactly the digests that they made. May be called any number of times, by anybody, at the same time.
 */
import { advance, type NewEvent } from '../store/advance.ts';
import type { Write } from '../store/table.ts';
import type { AcceptDependencies } from './accept/dependencies.ts';
import { identicalBuild } from './accept/identical.ts';
import { settleAttached } from './attached.ts';
import { endWithBase } from './base-failed.ts';
import { claimOf, holderOf, releaseClaim, takeClaim } from './claims.ts';
import { buildComputes } from './computes.ts';
import { followWrite } from './followers.ts';
import { type BuildRecord, isOver, openFields } from './record.ts';
import { type BuildRequest, identityOf, readRequest } from './request.ts';
import { chooseCompute, takeSlot } from './slots.ts';
import { startBuild, startDueSeconds } from './start.ts';
import { onTimeline } from './timeline.ts';

export type DescendantDependencies = AcceptDependencies;

/** Moves on a build that waits for others, of whichever kind. Answers the record as it is then. Throws what may pass. */
export async function settleFollower(
  dependencies: DescendantDependencies,
  organisation: string,
  buildId: string,
): Promise<BuildRecord | undefined> {
  const { table } = dependencies;
  const record = (await table.get(organisation, 'builds', buildId)) as BuildRecord | undefined;
  if (!record || isOver(record)) return record;
  if (record.attachedTo) return settleAttached(dependencies, organisation, buildId);
  if (!record.awaitsBases) return record;
  const { ended, bases } = await endWithBase(dependencies, organisation, record);
  if (!bases) return ended;
  if (!bases.every(isOver)) return record;
  const released = await release(dependencies, organisation, record, bases);
  if (released?.attachedTo) return settleAttached(dependencies, organisation, buildId);
  return released?.hasSlot ? startBuild(dependencies, organisation, buildId) : released;
}

/** It becomes a build like any other: its identity is known now, so it may have been built before. */
async function release(
  dependencies: DescendantDependencies,
  organisation: string,
  { id, uri }: BuildRecord,
  bases: BuildRecord[],
): Promise<BuildRecord | undefined> {
  const { table, stage, now } = dependencies;
  const asked = await readRequest(table, organisation, id);
  if (!asked) throw new Error(`what ${id} was asked to build is gone`);
  const made = new Map(bases.map((base) => [base.id, base.digest]));
  const request: BuildRequest = {
    ...asked,
    bases: Object.fromEntries(
      Object.entries(asked.bases).map(([reference, value]) => [reference, made.get(value) ?? value]),
    ),
  };
  const identity = identityOf(request);
  const claim = claimOf(identity, uri);
  const wanted = request.computes.flatMap((name) => buildComputes(stage).filter((one) => one.name === name));
  const moved = await advance<BuildRecord>(
    table,
    { organisation, collection: 'builds', id },
    async (current) => {
      if (isOver(current) || !current.awaitsBases || current.attachedTo || current.stopRequestedAt)
        return undefined;
      const shares = current.claim !== undefined;
      const found = shares ? await identicalBuild(dependencies, organisation, claim) : undefined;
      const identical = current.forced ? undefined : found?.build;
      // Where the stage has lost all that it may be built on, it waits for the one it had: `settleWaiting` ends it.
      const chosen = wanted.length > 0 ? await chooseCompute(table, organisation, wanted) : undefined;
      const place = chosen?.hasRoom && !identical ? chosen.compute : undefined;
      const full = place ? undefined : chosen?.compute.name;
      const time = now();
      const timeline = onTimeline(current, entriesOf(time, bases, identical, full));
      const also: Write[] = [
        { Put: { TableName: table.name, Item: request } },
        ...(place ? [takeSlot(table, organisation, place, id)] : []),
        ...(identical ? [followWrite(table, organisation, identical.id, id)] : []),
      ];
      if (current.claim !== undefined) {
        // Until now it was found by the builds that it waited for.
        if ((await holderOf(table, organisation, current.claim))?.buildId === id)
          also.push(releaseClaim(table, organisation, current.claim, id));
        if (!identical) also.push(takeClaim(table, organisation, claim, current, found?.seen));
      }
      return {
        set: {
          awaitsBases: undefined,
          identity,
          ...(shares ? { claim } : {}),
          ...(identical ? { attachedTo: identical.id, cached: true } : {}),
          compute: chosen?.compute.name ?? current.compute,
          hasSlot: place !== undefined,
          phase: place ? 'queued' : 'waiting',
          updatedAt: time.toISOString(),
          lastEventAt: timeline.lastEventAt,
          ...openFields(organisation, current, new Date(time.getTime() + startDueSeconds * 1000)),
        },
        events: timeline.events,
        also,
      };
    },
  );
  return moved?.record;
}

function entriesOf(
  now: Date,
  bases: BuildRecord[],
  identical: BuildRecord | undefined,
  fullCompute: string | undefined,
): NewEvent[] {
  const time = now.toISOString();
  const images = bases.map(({ uri, digest }) => `${uri}@${digest}`);
  const ready = {
    time,
    code: 'bases-built',
    message: `The base images are ready: ${images.join(', ')}.`,
    detail: { bases: images },
  };
  if (identical)
    return [
      ready,
      {
        time,
        code: 'attached',
        message: `Build ${identical.id} is identical. Slipway tags its image with this name too.`,
      },
    ];
  if (fullCompute === undefined) return [ready];
  return [ready, { time, code: 'waiting', message: `Waiting for a free ${fullCompute} slot.` }];
}

/**
 * How an experiment changes: steps that are decided on its record alone, put together as one conditional write. The
 * steps themselves are in `report.ts` (what Batch says of a job) and `conclusion.ts` (what follows from it).
 */
import { mayFollow } from '../model/states.ts';
import type { Change, NewEvent } from '../store/advance.ts';
import { timed } from '../store/timeline.ts';
import { type ExperimentRecord, isOver, openAttempt, statusFields } from './record.ts';

export type Entry = Pick<NewEvent, 'time' | 'code' | 'message' | 'detail'>;

/** One step: fields to set and what the timeline says of it. */
export interface Move {
  set: Partial<ExperimentRecord>;
  entries: Entry[];
}

/** What decisions depend on besides the record. */
export interface Circumstances {
  organisation: string;
  now: Date;
  /** Longest time that a job may wait for a host. */
  queueTimeoutSeconds: number;
}

export type Step = (record: ExperimentRecord, circumstances: Circumstances) => Move | undefined;

/** The steps one after the other, each on the outcome of the ones before, as one change; nothing if none moves. */
export function changeOf(
  record: ExperimentRecord,
  circumstances: Circumstances,
  ...steps: Step[]
): Change<ExperimentRecord> | undefined {
  let current = record;
  const set: Partial<ExperimentRecord> = {};
  const entries: Entry[] = [];
  let moved = false;
  for (const step of steps) {
    const move = step(current, circumstances);
    if (!move) continue;
    moved = true;
    Object.assign(set, move.set);
    entries.push(...move.entries);
    current = { ...current, ...move.set };
  }
  if (!moved) return undefined;
  if (current.status !== record.status && !mayFollow('experiment', record.status, current.status))
    throw new Error(`an experiment that is ${record.status} never becomes ${current.status}`);
  const { events, lastEventAt } = timed(record.lastEventAt, entries);
  const { organisation, now } = circumstances;
  return {
    set: {
      ...set,
      ...statusFields(organisation, current, dueAt(current, circumstances)),
      updatedAt: now.toISOString(),
      lastEventAt,
    },
    events,
  };
}

/** When the reconciler should ask, if nothing is heard until then. */
export function dueAt(record: ExperimentRecord, { now, queueTimeoutSeconds }: Circumstances): Date {
  const attempt = openAttempt(record);
  const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  // Its last lines may be on their way to the log still.
  if (isOver(record)) return inSeconds(8);
  if (record.stopRequestedAt || attempt?.ending) return inSeconds(10);
  if (attempt?.stage === 'queued') {
    const waitedSeconds = (now.getTime() - Date.parse(attempt.createdAt)) / 1000;
    // Whoever waits behind other jobs should soon be told so.
    const next = inSeconds(waitedSeconds < 15 ? 15 : 60);
    if (attempt.waitsFor !== undefined) return next;
    const patienceEnds = Date.parse(attempt.hostsFreeSince ?? attempt.createdAt) + queueTimeoutSeconds * 1000;
    return new Date(Math.min(next.getTime(), Math.max(patienceEnds, now.getTime())));
  }
  if (attempt?.stage === 'provisioning') return inSeconds(120);
  if (attempt?.stage === 'running') {
    const timeOut = Date.parse(attempt.startedAt ?? attempt.createdAt) + (record.timeoutSeconds + 30) * 1000;
    return new Date(Math.min(inSeconds(300).getTime(), Math.max(timeOut, now.getTime())));
  }
  return inSeconds(30);
}

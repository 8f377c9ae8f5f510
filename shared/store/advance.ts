/**
 * How builds and experiments change: read, decide on plain data, write only if nobody else wrote in between,
 * together with the timeline entries that tell of it. Whoever loses the race decides again on the new state.
 */
import type { TimelineEvent } from '../model/common.ts';
import { pauseAfter } from './contention.ts';
import {
  absent,
  type Collection,
  type Condition,
  ConditionFailedError,
  conditionInput,
  type Item,
  type Table,
  versionIs,
  type Write,
} from './table.ts';

/** What every record of work has besides its own fields. */
export interface Work extends Item {
  id: string;
  version: number;
  /** Timeline entries written so far. */
  eventCount: number;
}

export type NewEvent = Omit<TimelineEvent, 'seq'>;

export interface Change<W extends Work> {
  /** Fields to set; `undefined` removes one. */
  set: Partial<W>;
  events?: NewEvent[];
  /** Other items that change with it or not at all; a refusal makes the decision be taken again. */
  also?: Write[];
}

const attempts = 10;

/**
 * Moves one record. `decide` sees the current one and answers the change, or nothing to leave it.
 * Resolves to the record as it is afterwards and whether it moved; to `undefined` where there is none.
 */
export async function advance<W extends Work>(
  table: Table,
  at: { organisation: string; collection: Collection; id: string },
  decide: (current: W) => Change<W> | undefined | Promise<Change<W> | undefined>,
): Promise<{ record: W; moved: boolean } | undefined> {
  for (let attempt = 1; ; attempt++) {
    const current = (await table.get(at.organisation, at.collection, at.id)) as W | undefined;
    if (!current) return undefined;
    const change = await decide(current);
    if (!change) return { record: current, moved: false };
    const events = change.events ?? [];
    const record: W = {
      ...current,
      ...change.set,
      version: current.version + 1,
      eventCount: current.eventCount + events.length,
    };
    for (const [name, value] of Object.entries(record))
      if (value === undefined) delete (record as Item)[name];
    try {
      await table.transact([
        putWrite(table, record, versionIs(current.version)),
        ...eventWrites(table, at.organisation, at.id, current.eventCount, events),
        ...(change.also ?? []),
      ]);
      return { record, moved: true };
    } catch (error) {
      if (!(error instanceof ConditionFailedError) || attempt >= attempts) throw error;
      await pauseAfter(attempt);
    }
  }
}

/** A whole-item write as part of a transaction; `item` carries its `pk` and `sk`. */
export function putWrite(table: Table, item: Item, condition?: Condition): Write {
  return {
    Put: {
      TableName: table.name,
      Item: item,
      ...conditionInput(condition),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Timeline entries from sequence number `from` on. */
export function eventWrites(
  table: Table,
  organisation: string,
  id: string,
  from: number,
  events: NewEvent[],
): Write[] {
  return events.map((event, i) =>
    putWrite(
      table,
      { ...table.key(organisation, 'events', eventKey(id, from + i)), ...event, seq: from + i },
      absent,
    ),
  );
}

export const eventKey = (id: string, seq: number) => `${id}#${String(seq).padStart(8, '0')}`;

/** Timeline entries of one record from `from` on, at most `limit`. */
export async function readEvents(
  table: Table,
  organisation: string,
  id: string,
  from: number,
  limit: number,
): Promise<TimelineEvent[]> {
  const { items } = await table.query({
    organisation,
    collection: 'events',
    between: { from: eventKey(id, from), to: eventKey(id, 99_999_999) },
    limit,
    consistent: true,
  });
  return items.map(
    ({ time, seq, code, message, detail, durationMs }) =>
      ({ time, seq, code, message, detail, durationMs }) as TimelineEvent,
  );
}

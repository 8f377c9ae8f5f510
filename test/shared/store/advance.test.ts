import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../shared/model/id.ts';
import { advance, readEvents, type Work } from '../../../shared/store/advance.ts';
import { ConditionFailedError } from '../../../shared/store/table.ts';
import { type RealTable, startRealTable } from './real-table.ts';

interface Job extends Work {
  status: string;
  count: number;
  note?: string;
}

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
});
afterAll(() => real?.stop());

const time = '2026-11-21T09:00:00.000Z';
const event = (code: string) => ({ time, code, message: code });

async function job(): Promise<{ organisation: string; collection: 'builds'; id: string }> {
  const id = newId('build', Date.now());
  await real.table.put('acme', 'builds', id, { id, version: 1, eventCount: 0, status: 'queued', count: 0 });
  return { organisation: 'acme', collection: 'builds', id };
}

describe('advance', () => {
  it('lets every one of many at once see the one before', async () => {
    const at = await job();
    await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        advance<Job>(real.table, at, (current) => ({
          set: { count: current.count + 1 },
          events: [event(`step-${i}`)],
        })),
      ),
    );
    const record = await real.table.get('acme', 'builds', at.id);
    expect(record).toMatchObject({ count: 6, version: 7, eventCount: 6 });
    const events = await readEvents(real.table, 'acme', at.id, 0, 100);
    expect(events.map((one) => one.seq)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(events.map((one) => one.code)).size).toBe(6);
  });

  it('loses no change that has no entry on the timeline', async () => {
    const at = await job();
    await Promise.all(
      Array.from({ length: 6 }, () =>
        advance<Job>(real.table, at, (current) => ({ set: { count: current.count + 1 } })),
      ),
    );
    expect(await real.table.get('acme', 'builds', at.id)).toMatchObject({ count: 6, version: 7 });
  });

  it('lets only one of many decide what only one may', async () => {
    const at = await job();
    const moves = await Promise.all(
      Array.from({ length: 8 }, () =>
        advance<Job>(real.table, at, (current) =>
          current.status === 'queued'
            ? { set: { status: 'stopped' }, events: [event('stopped')] }
            : undefined,
        ),
      ),
    );
    expect(moves.filter((one) => one?.moved)).toHaveLength(1);
    expect(moves.every((one) => one?.record.status === 'stopped')).toBe(true);
    expect(await readEvents(real.table, 'acme', at.id, 0, 100)).toHaveLength(1);
  });

  it('writes nothing where something that goes with it is refused', async () => {
    const at = await job();
    const taken = {
      Put: {
        TableName: 'slipway',
        Item: { ...real.table.key('acme', 'image-names', 'taken') },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    };
    await real.table.put('acme', 'image-names', 'taken', {});
    await expect(
      advance<Job>(real.table, at, () => ({
        set: { status: 'succeeded' },
        events: [event('x')],
        also: [taken],
      })),
    ).rejects.toBeInstanceOf(ConditionFailedError);
    expect(await real.table.get('acme', 'builds', at.id)).toMatchObject({ status: 'queued', version: 1 });
    expect(await readEvents(real.table, 'acme', at.id, 0, 100)).toEqual([]);
  });

  it('removes fields, leaves alone what needs no change, and misses what is not there', async () => {
    const at = await job();
    await advance<Job>(real.table, at, () => ({ set: { note: 'x' } }));
    await advance<Job>(real.table, at, () => ({ set: { note: undefined } }));
    expect(await real.table.get('acme', 'builds', at.id)).not.toHaveProperty('note');
    expect(await advance<Job>(real.table, at, () => undefined)).toMatchObject({ moved: false });
    expect(await advance<Job>(real.table, { ...at, id: 'bld_none' }, () => undefined)).toBeUndefined();
    expect(
      await advance<Job>(real.table, { ...at, organisation: 'globex' }, () => undefined),
    ).toBeUndefined();
  });

  it('E24 reads a timeline from any entry on, and only its own', async () => {
    const [at, other] = [await job(), await job()];
    for (const place of [at, other])
      await advance<Job>(real.table, place, () => ({
        set: {},
        events: [event('a'), event('b'), event('c')],
      }));
    const from1 = await readEvents(real.table, 'acme', at.id, 1, 10);
    expect(from1.map((one) => [one.seq, one.code])).toEqual([
      [1, 'b'],
      [2, 'c'],
    ]);
    expect(await readEvents(real.table, 'acme', at.id, 0, 2)).toHaveLength(2);
  });
});

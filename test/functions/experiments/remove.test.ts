/** E1: a deletion that dies or is overtaken in between leaves nothing half. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExperiment, updateExperiment } from '../../../functions/experiments/change.ts';
import type { Logs } from '../../../shared/log/log.ts';
import { newId } from '../../../shared/model/id.ts';
import { eventWrites } from '../../../shared/store/advance.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';

const organisation = 'acme';
let place: RealTable;
beforeAll(async () => {
  place = await startRealTable();
});
afterAll(() => place?.stop());

/** One that has ended, with more entries in its timeline than one transaction takes. */
async function finished(): Promise<string> {
  const { table } = place;
  const id = newId('experiment', Date.now());
  const record = { id, version: 1, eventCount: 180, status: 'succeeded', tags: ['a'], attempts: [] };
  await table.put(organisation, 'experiments', id, record);
  const entries = Array.from({ length: 90 }, () => ({
    time: '2026-11-21T12:00:00Z',
    code: 'c',
    message: 'm',
  }));
  for (const from of [0, 90]) await table.transact(eventWrites(table, organisation, id, from, entries));
  return id;
}
/** Whose kept lines are deleted by `remove`. */
const logs = (remove: () => Promise<unknown>) => ({ remove }) as unknown as Logs;
const remove = (id: string, during: () => Promise<unknown> = async () => undefined, ifMatch?: string) =>
  deleteExperiment({ table: place.table, logs: logs(during) }, { organisation, id, ifMatch });
const left = async (id: string) => [
  (await place.table.get(organisation, 'experiments', id)) !== undefined,
  (await place.table.all(organisation, 'events', `${id}#`)).length,
];

describe('E1 deleting an experiment', () => {
  it('is not changed into half a deletion by what comes in between', async () => {
    const id = await finished();
    const asking = { organisation, id, now: new Date() };
    const refused: unknown[] = [];
    await remove(id, () =>
      updateExperiment(place.table, asking, { tags: ['b'] }).catch((error) => refused.push(error)),
    );
    expect(refused).toEqual([expect.objectContaining({ status: 409, code: 'experiment-leaving' })]);
    expect(await left(id)).toEqual([false, 0]);
    expect(await place.table.all(organisation, 'experiment-tags')).toEqual([]);
  });

  it('touches nothing where the record is another one by then', async () => {
    const id = await finished();
    let isTouched = false;
    const touch = async () => {
      isTouched = true;
    };
    await expect(remove(id, touch, '7')).rejects.toMatchObject({ status: 412 });
    expect([isTouched, ...(await left(id))]).toEqual([false, true, 180]);
  });

  it('is finished by the next call after one that died, under the ETag of the first', async () => {
    const id = await finished();
    await expect(remove(id, () => Promise.reject(new Error('killed')), '1')).rejects.toThrow('killed');
    expect(await left(id)).toEqual([true, 180]);
    await remove(id, undefined, '1');
    expect(await left(id)).toEqual([false, 0]);
    await expect(remove(id)).rejects.toMatchObject({ status: 404 });
  });
});

/** Who is looked at, in which order, and for how long. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Reconcile, reconcile } from '../../../functions/reconciler/reconcile.ts';
import { newId } from '../../../shared/model/id.ts';
import { openKey } from '../../../shared/store/table.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';
import { memoryLog } from '../event.ts';

let place: RealTable;
beforeAll(async () => {
  place = await startRealTable();
});
afterAll(() => place?.stop());

const organisations = ['acme', 'globex', 'initech'];
const time = new Date('2026-11-21T12:00:00.000Z');
const ids: Record<string, string[]> = {};
const backlog = { acme: 30, globex: 2, initech: 1 };
beforeEach(async () => {
  for (const [organisation, count] of Object.entries(backlog)) {
    ids[organisation] = Array.from({ length: count }, () => newId('build', Date.now()));
    for (const old of await place.table.all(organisation, 'builds'))
      await place.table.remove(organisation, 'builds', String(old.sk));
    for (const [i, id] of (ids[organisation] ?? []).entries())
      await place.table.put(organisation, 'builds', id, {
        id,
        openKey: openKey(organisation),
        dueAt: new Date(time.getTime() - 60_000 + i).toISOString(),
      });
  }
});

const run = (look: Reconcile, remainingMs: () => number = () => 300_000) => {
  const log = memoryLog();
  const unused = () => Promise.reject(new Error('there are no experiments'));
  const done = reconcile(
    { organisations, table: place.table, now: () => time, log, builds: look, experiments: unused },
    remainingMs,
  );
  return { done, log };
};

test("one organisation's backlog keeps nobody waiting, and what is begun is finished in time", async () => {
  const seen: string[] = [];
  // A clock of its own: every look takes ten seconds, and the function has a minute.
  let remainingMs = 60_000;
  await run(
    async (organisation) => {
      seen.push(organisation);
      remainingMs -= 10_000;
    },
    () => remainingMs,
  ).done;
  expect(seen).toHaveLength(3);
  expect([...seen].sort()).toEqual(organisations);
  remainingMs = 90_000;
  seen.length = 0;
  await run(
    async (organisation) => {
      seen.push(organisation);
      remainingMs -= 10_000;
    },
    () => remainingMs,
  ).done;
  expect(seen.filter((one) => one === 'acme')).toHaveLength(3);
  expect(seen.filter((one) => one !== 'acme').sort()).toEqual(['globex', 'globex', 'initech']);
});

test('slow records are waited for together, a few at once; everything is looked at once', async () => {
  const seen: string[] = [];
  let atOnce = 0;
  let most = 0;
  await run(async (_, id) => {
    most = Math.max(most, ++atOnce);
    await new Promise((later) => setImmediate(later));
    seen.push(id);
    atOnce--;
  }).done;
  expect(seen.sort()).toEqual(Object.values(ids).flat().sort());
  expect(most).toBe(4);
});

test('one that fails is put off, told of, and no obstacle to the others', async () => {
  const [bad = ''] = ids.globex ?? [];
  let looked = 0;
  const { done, log } = run(async (_, id) => {
    looked++;
    if (id === bad) throw new Error('AWS does not answer');
  });
  await expect(done).rejects.toThrow('1 records could not be reconciled');
  expect(looked).toBe(33);
  expect(log.lines).toMatchObject([
    { message: 'reconciling failed', fields: { organisation: 'globex', id: bad } },
  ]);
  expect((await place.table.get('globex', 'builds', bad))?.dueAt).toBe('2026-11-21T12:05:00.000Z');
});

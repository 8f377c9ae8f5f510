/**
 * What events should have finished and didn't: lost, never sent, or their handler died. Every open build and
 * experiment says when it wants to be looked at (`dueAt`); whoever is due is compared with what AWS knows.
 */
import { fewAtOnce } from '../../shared/concurrency/few-at-once.ts';
import { isIdOf } from '../../shared/model/id.ts';
import { ConditionFailedError, type Item, openKey, type Table } from '../../shared/store/table.ts';

/** Finishes what is due of one record. May run twice at once, so it writes only conditionally. */
export type Reconcile = (organisation: string, id: string) => Promise<void>;

export interface ReconcileDependencies {
  organisations: string[];
  table: Table;
  now: () => Date;
  log: { error(message: string, fields: Record<string, unknown>): void };
  builds: Reconcile;
  experiments: Reconcile;
}

const perOrganisation = 200;
/** A record that can't be looked at must not stand before the others at every turn. */
const postponeSeconds = 300;

/** One record may take seconds, nearly all of them spent waiting for AWS. */
const atOnce = 4;
/** Kept back for the records that are being looked at: none is begun in the function's last seconds. */
const reserveMs = 30_000;

/**
 * Looks at what is due, one record of each organisation in turn, until the time is nearly over: nobody's backlog keeps
 * the others waiting, and what is left is the next run's. Throws at the end if something failed, so that the alarm on
 * errors sees it.
 */
export async function reconcile(
  dependencies: ReconcileDependencies,
  remainingMs: () => number,
): Promise<void> {
  const { organisations, table, now, log } = dependencies;
  const due = await Promise.all(
    organisations.map(async (organisation) =>
      (await table.due(organisation, now().toISOString(), perOrganisation)).map((item) => ({
        organisation,
        item,
      })),
    ),
  );
  let failures = 0;
  await fewAtOnce(inTurn(due), atOnce, async ({ organisation, item }) => {
    if (remainingMs() <= reserveMs) return;
    const id = String(item.id);
    try {
      await reconcileOne(dependencies, organisation, id);
    } catch (error) {
      failures++;
      log.error('reconciling failed', { organisation, id, error });
      await postpone(table, organisation, item, now());
    }
  });
  if (failures > 0) throw new Error(`${failures} records could not be reconciled; each one is in the log`);
}

/** The first of each list, then the second of each, and so on. */
function inTurn<T>(lists: T[][]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

async function reconcileOne(
  { builds, experiments }: ReconcileDependencies,
  organisation: string,
  id: string,
): Promise<void> {
  if (isIdOf('build', id)) return builds(organisation, id);
  if (isIdOf('experiment', id)) return experiments(organisation, id);
  throw new Error(`open work of an unknown kind: ${id}`);
}

async function postpone(table: Table, organisation: string, item: Item, now: Date): Promise<void> {
  try {
    await table.transact([
      {
        Update: {
          TableName: table.name,
          Key: { pk: item.pk, sk: item.sk },
          UpdateExpression: 'SET dueAt = :later',
          ConditionExpression: 'openKey = :open AND dueAt = :seen',
          ExpressionAttributeValues: {
            ':later': new Date(now.getTime() + postponeSeconds * 1000).toISOString(),
            ':open': openKey(organisation),
            ':seen': item.dueAt,
          },
        },
      },
    ]);
  } catch (error) {
    // It moved meanwhile, so it is due at another time anyway.
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}

import { type ExperimentRecord, isOver } from '../../shared/experiment/record.ts';
import { tagWrites } from '../../shared/experiment/tags.ts';
import { conflict, notFound } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { Logs } from '../../shared/log/log.ts';
import type { ExperimentChange } from '../../shared/model/experiment.ts';
import { advance } from '../../shared/store/advance.ts';
import type { Table, Write } from '../../shared/store/table.ts';

export interface ChangeRequest {
  organisation: string;
  id: string;
  now: Date;
  ifMatch?: string | undefined;
}

/** Renames an experiment or replaces its tags. */
export async function updateExperiment(
  table: Table,
  { organisation, id, now, ifMatch }: ChangeRequest,
  { name, tags }: ExperimentChange,
): Promise<ExperimentRecord> {
  const moved = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) => {
      requireMatch({ ifMatch }, current.version);
      requireStaying(current);
      if (!name && !tags) return undefined;
      return {
        set: { ...(name ? { name } : {}), ...(tags ? { tags } : {}), updatedAt: now.toISOString() },
        also: tagWrites(table, organisation, id, current.tags, tags ?? current.tags),
      };
    },
  );
  if (!moved) throw notFound('experiment');
  return moved.record;
}

const writesAtOnce = 100;

/** Throws a 409 problem once a deletion has begun, even one that died: it can only be finished. */
export function requireStaying({ deleting }: ExperimentRecord): void {
  if (deleting)
    throw conflict(
      'experiment-leaving',
      'The experiment is being deleted. If it is still there in a minute, DELETE it again.',
    );
}

/**
 * Deletes an experiment that has no job, and its timeline and its log. Throws 409 while it runs. One that was marked by
 * a call which died in between is deleted too, whatever its version is by now.
 */
export async function deleteExperiment(
  { table, logs }: { table: Table; logs: Logs },
  { organisation, id, ifMatch }: Omit<ChangeRequest, 'now'>,
): Promise<void> {
  const marked = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) => {
      if (current.deleting) return undefined;
      requireMatch({ ifMatch }, current.version);
      if (!isOver(current) && current.status !== 'created')
        throw conflict(
          'experiment-running',
          'Stop the experiment first, then wait until its status is `stopped`.',
        );
      // Nor does the reconciler look after its log any more.
      return { set: { deleting: true, openKey: undefined, dueAt: undefined } };
    },
  );
  if (!marked) throw notFound('experiment');
  const { record } = marked;
  await logs.remove(organisation, id);
  const removal = (pk: unknown, sk: unknown): Write => ({
    Delete: { TableName: table.name, Key: { pk, sk } },
  });
  const events = (await table.all(organisation, 'events', `${id}#`)).map(({ pk, sk }) => removal(pk, sk));
  // A long timeline goes first and in parts: only a finished experiment has one, and that gets no more entries.
  const tags = tagWrites(table, organisation, id, record.tags, []);
  while (events.length + tags.length >= writesAtOnce) await table.transact(events.splice(0, writesAtOnce));
  const { pk, sk } = table.key(organisation, 'experiments', id);
  await table.transact([removal(pk, sk), ...tags, ...events]);
}

/** All or nothing in SQLite; may stand inside another transaction, so services can call each other. */
import type { DatabaseSync } from 'node:sqlite';

/** Runs `work`, which must be synchronous, in a transaction of its own or as part of the one already open. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('SAVEPOINT slipway');
  try {
    const result = work();
    db.exec('RELEASE slipway');
    return result;
  } catch (error) {
    db.exec('ROLLBACK TO slipway; RELEASE slipway');
    throw error;
  }
}

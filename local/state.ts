/** The embedded cloud's own database. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { explainStorage } from './storage-errors.ts';

export const databaseFile = (home: string): string => join(home, 'cloud.db');

/**
 * Opens `<home>/cloud.db`, creating it. What was committed survives the death of this process at any moment.
 * Throws `StorageError`, also for a file that is damaged.
 */
export function openState(home: string): DatabaseSync {
  const file = databaseFile(home);
  try {
    const db = new DatabaseSync(file);
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
      requireSound(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw explainStorage(error, file);
  }
}

/** Better said at the start than by whatever comes to the damage first. */
function requireSound(db: DatabaseSync): void {
  const [found] = db.prepare('PRAGMA quick_check(1)').all();
  const verdict = String(found?.quick_check);
  if (verdict === 'ok') return;
  throw Object.assign(new Error(verdict), { code: 'ERR_SQLITE_ERROR', errcode: 11 });
}

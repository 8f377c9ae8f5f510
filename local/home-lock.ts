/** One embedded cloud per state directory. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The state directory belongs to an embedded cloud that runs; the message says which and where. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

function runningOne(home: string): string {
  const file = join(home, 'local.json');
  if (!existsSync(file)) return `An embedded cloud is starting in ${home}.`;
  const { apiUrl, pid } = JSON.parse(readFileSync(file, 'utf8')) as { apiUrl: string; pid: number };
  return `An embedded cloud runs in ${home} already (process ${pid}): ${apiUrl}`;
}

/**
 * Takes the state directory, creating it. The lock is the operating system's, on a file of SQLite's, so it ends with
 * the process however that ends. Returns release. Throws `AlreadyRunningError`.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(home, 'lock.db'));
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE;');
  } catch (error) {
    db.close();
    if (!(error as Error).message.includes('locked')) throw error;
    throw new AlreadyRunningError(runningOne(home));
  }
  return () => db.close();
}

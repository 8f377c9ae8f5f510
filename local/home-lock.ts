/** The state directory: one embedded cloud's, and its owner's alone. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { explainStorage, StorageError } from './storage-errors.ts';

/** The state directory belongs to an embedded cloud that runs; the message says which and where. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

function runningOne(home: string): string {
  const file = join(home, 'local.json');
  if (!existsSync(file)) return `An embedded cloud is already starting in ${home}.`;
  try {
    const { apiUrl, pid } = JSON.parse(readFileSync(file, 'utf8')) as { apiUrl: string; pid: number };
    return `An embedded cloud is already running in ${home} (process ${pid}): ${apiUrl}`;
  } catch (error) {
    return `An embedded cloud is already running in ${home}, but ${file} can't be read (${(error as Error).message}). Stop the cloud and start it again: it writes a new file.`;
  }
}

const isOpen = (path: string): boolean => (statSync(path).mode & 0o077) !== 0;

function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StorageError(
      `Could not create ${home} (${(error as Error).message}). Set SLIPWAY_HOME to a directory that you can write to.`,
    );
  }
}

/** Takes group's and others' rights away. Throws `StorageError` for a directory that is not only the cloud's to close. */
function closeHome(home: string): void {
  if (!isOpen(home)) return;
  const names = readdirSync(home);
  if (names.length > 0 && !names.includes('lock.db'))
    throw new StorageError(
      `${home} is open to other users and holds other files. Set SLIPWAY_HOME to a directory that nothing else uses, or run: chmod 700 ${home}`,
    );
  try {
    chmodSync(home, 0o700);
    for (const name of names) {
      const path = join(home, name);
      chmodSync(path, statSync(path).mode & 0o700);
    }
  } catch (error) {
    throw new StorageError(
      `${home} is open to other users, and its mode can't be changed (${(error as Error).message}). Set SLIPWAY_HOME to a directory that you own.`,
    );
  }
  if (isOpen(home))
    throw new StorageError(
      `${home} is open to other users, and its file system does not keep file modes. Set SLIPWAY_HOME to a directory on another file system.`,
    );
}

/**
 * Takes the state directory, creating it; from then on this process writes files that only their owner may read. The
 * lock is the operating system's, on a file of SQLite's, so it ends with the process however that ends. Returns release.
 * Throws `AlreadyRunningError`, `StorageError`.
 */
export function lockHome(home: string): () => void {
  process.umask(0o077);
  const file = join(home, 'lock.db');
  let db: DatabaseSync;
  makeHome(home);
  closeHome(home);
  try {
    accessSync(home, constants.W_OK);
    db = new DatabaseSync(file);
  } catch (error) {
    throw explainStorage(error, file);
  }
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE;');
  } catch (error) {
    db.close();
    if (!(error as Error).message.includes('locked')) throw explainStorage(error, file);
    throw new AlreadyRunningError(runningOne(home));
  }
  return () => db.close();
}

/** Files with secrets in them. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { explainStorage } from './storage-errors.ts';

/** Writes a file that only its owner may read, all at once: nobody sees half of it. Throws `StorageError`. */
export function writePrivately(path: string, content: string): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    writeFileSync(fresh, content, { mode: 0o600 });
    renameSync(fresh, path);
  } catch (error) {
    throw explainStorage(error, path);
  }
}

/** The content, or undefined where there is no such file. Throws `StorageError`. */
export function readPrivate(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  } catch (error) {
    throw explainStorage(error, path);
  }
}

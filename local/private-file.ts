/** Files with secrets in them. */
import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file that only its owner may read, all at once: nobody sees half of it. */
export function writePrivately(path: string, content: string): void {
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, content, { mode: 0o600 });
  renameSync(fresh, path);
}

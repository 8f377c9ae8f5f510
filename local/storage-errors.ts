/** What the file system and SQLite say when state can't be kept, in words for the operator. */

/** State can't be read or written; the message is one line that names the file and what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(message: string, options?: ErrorOptions) {
    // SQLite lists damages line by line.
    super(message.replace(/\s*\n\s*/g, ' '), options);
  }
}

/** SQLite's result codes, the primary part. */
const sqliteCauses: Record<number, keyof typeof remedies> = {
  8: 'read-only',
  10: 'unreadable',
  11: 'damaged',
  13: 'full',
  14: 'unreadable',
  26: 'damaged',
};
const systemCauses: Record<string, keyof typeof remedies> = {
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EIO: 'unreadable',
  EISDIR: 'unreadable',
  ENOTDIR: 'unreadable',
};
const remedies = {
  'read-only': "can't be written. Give this user write permission, or set SLIPWAY_HOME to another directory.",
  damaged: 'is damaged. Restore the whole directory from a copy, or move the directory away to start empty.',
  full: "can't be written, since the disk is full. Free some space and start again: recorded state is kept.",
  unreadable: "can't be opened. Check its directory and disk, or set SLIPWAY_HOME to another directory.",
};

function causeOf(error: unknown): keyof typeof remedies | undefined {
  if (error instanceof AggregateError) return error.errors.map(causeOf).find((one) => one !== undefined);
  const { code = '', errcode } = error as { code?: string; errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') return sqliteCauses[(errcode ?? 0) & 0xff];
  return systemCauses[code];
}

/** `error` as a `StorageError` about `file`, where that is what it is; `error` itself where it isn't. */
export function explainStorage(error: unknown, file: string): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const cause = causeOf(error);
  if (!cause) return error;
  // The system names the file that it means; SQLite doesn't.
  const path = (error as NodeJS.ErrnoException).path ?? file;
  return new StorageError(`${path} ${remedies[cause]} (${error.message})`, { cause: error });
}

/** For a log: one line where storage is the cause, else where in the code it happened. */
export function describeError(error: unknown, file: string): string {
  const explained = explainStorage(error, file);
  if (explained instanceof StorageError) return explained.message;
  return explained instanceof Error ? (explained.stack ?? explained.message) : String(explained);
}

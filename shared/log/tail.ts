/**
 * The index of a kept log: which lines lie in which object, and how far the sources were read. It changes only by
 * conditional writes on its version, so of two readers one wins and the other's lines never count: none is lost,
 * none comes twice.
 */
import { absent, ConditionFailedError, type Table, versionIs } from '../store/table.ts';

/** First line, last line, version of the index that wrote it, size. The version keeps two writers' objects apart. */
export type Chunk = [first: number, last: number, version: number, bytes: number];

export interface Tail {
  version: number;
  /** Reader that may read the sources until `leaseUntil` (epoch ms). */
  holder: string;
  leaseUntil: number;
  /** When the sources were last read (epoch ms). */
  checkedAt: number;
  chunks: Chunk[];
  lines: number;
  /** First line of every source so far; the last one is being read. */
  starts: number[];
  token?: string;
  /** Everything was read and nothing more will come. */
  complete: boolean;
}

const empty: Tail = {
  version: 0,
  holder: '',
  leaseUntil: 0,
  checkedAt: 0,
  chunks: [],
  lines: 0,
  starts: [0],
  complete: false,
};

export async function readTail(table: Table, organisation: string, jobId: string): Promise<Tail> {
  return ((await table.get(organisation, 'logs', jobId)) as Tail | undefined) ?? empty;
}

/** Writes `next` over `before`; answers what is there now, or nothing where somebody else was faster. */
export async function writeTail(
  table: Table,
  organisation: string,
  jobId: string,
  before: Tail,
  next: Omit<Tail, 'version'>,
): Promise<Tail | undefined> {
  const { token, ...rest } = next;
  const written: Tail = {
    ...rest,
    ...(token === undefined ? {} : { token }),
    version: before.version + 1,
  };
  try {
    await table.put(
      organisation,
      'logs',
      jobId,
      { ...written },
      before.version === 0 ? absent : versionIs(before.version),
    );
    return written;
  } catch (error) {
    if (error instanceof ConditionFailedError) return undefined;
    throw error;
  }
}

/**
 * The index of a kept log: its newest lines themselves, which object holds which of the others, and how far the sources
 * were read. It changes only by conditional writes on its version, so of two readers one wins and the other's lines
 * never count: none is lost, none comes twice.
 */

import { absent, ConditionFailedError, type Table, versionIs } from '../store/table.ts';
import type { Reached } from './source.ts';

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
  /** The lines after those in objects, each as JSON: whoever waits for news has them with the index. */
  recent: string[];
  /** All lines, recent ones included. */
  lines: number;
  /** First line of every source so far; the last one is being read. */
  starts: number[];
  token?: string;
  /** How far the source was read, which outlives the token. */
  reached?: Reached;
  /** Everything was read and nothing more will come. */
  complete: boolean;
}

const empty: Tail = {
  version: 0,
  holder: '',
  leaseUntil: 0,
  checkedAt: 0,
  chunks: [],
  recent: [],
  lines: 0,
  starts: [0],
  complete: false,
};

const tailOf = (item: unknown): Tail => ({ ...empty, ...(item as Partial<Tail> | undefined) });

/** How many lines lie in objects. */
export const linesInObjects = ({ lines, recent }: Pick<Tail, 'lines' | 'recent'>) => lines - recent.length;

export const readTail = async (table: Table, organisation: string, jobId: string): Promise<Tail> =>
  tailOf(await table.get(organisation, 'logs', jobId));

/** Writes `next` over `before`, unless somebody else was faster. Answers what is there then. */
export async function writeTail(
  table: Table,
  organisation: string,
  jobId: string,
  before: Tail,
  next: Omit<Tail, 'version'>,
): Promise<{ tail: Tail; written: boolean }> {
  const { token, reached, ...rest } = next;
  const tail: Tail = {
    ...rest,
    ...(token === undefined ? {} : { token }),
    ...(reached === undefined ? {} : { reached }),
    version: before.version + 1,
  };
  try {
    const condition = before.version === 0 ? absent : versionIs(before.version);
    await table.put(organisation, 'logs', jobId, { ...tail }, condition);
    return { tail, written: true };
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    return { tail: tailOf(error.existing), written: false };
  }
}

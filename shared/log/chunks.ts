/** The kept lines themselves: objects of newline-delimited JSON. The last one is rewritten until it is full. */
import type { Artifacts } from '../aws/artifacts.ts';
import type { LogLine } from '../model/common.ts';
import { type Chunk, linesInObjects, type Tail } from './tail.ts';

const kib = 1024;
/** Objects of long logs are larger, so that the index stays small. */
const fullBytes = (count: number) => (count < 200 ? 256 * kib : count < 400 ? 1024 * kib : 4096 * kib);
/** Lines beside the index are at most this long together, so that looking at it stays cheap. */
const recentBytes = 8 * kib;
/** Text in one answer; Lambda's limit is 6 MB, and JSON escapes may lengthen it. */
const pageBytes = 768 * kib;

const digits = (line: number) => String(line).padStart(12, '0');

export const chunkKey = (organisation: string, jobId: string, [first, last, version]: Chunk) =>
  `${organisation}/logs/${jobId}/${digits(first)}-${digits(last)}-${version}.ndjson`;

export interface ChunkStore {
  artifacts: Artifacts;
  organisation: string;
  jobId: string;
}

type Kept = Pick<Tail, 'chunks' | 'recent' | 'lines'>;

/**
 * Puts `lines` behind the kept ones and answers the index as it is then, with the object that it no longer names.
 * Until somebody writes that index, nothing has happened. What is new stays beside the index where it is short enough;
 * what was there before then makes room.
 */
export async function appendLines(
  store: ChunkStore,
  { chunks, recent, lines: count }: Kept,
  version: number,
  lines: LogLine[],
): Promise<Kept & { replaced?: Chunk }> {
  const news = lines.map((line) => JSON.stringify(line));
  const all = [...recent, ...news];
  const next = count + news.length;
  if (bytesOf(all) <= recentBytes) return { chunks, recent: all, lines: next };
  const fits = bytesOf(news) <= recentBytes;
  const first = linesInObjects({ lines: count, recent });
  const written = await write(store, chunks, version, first, fits ? recent : all);
  return { ...written, recent: fits ? news : [], lines: next };
}

const bytesOf = (lines: string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

/** `lines`, the first of which is the `start`th of the log, behind those in `chunks`. */
async function write(
  { artifacts, organisation, jobId }: ChunkStore,
  before: Chunk[],
  version: number,
  start: number,
  lines: string[],
): Promise<{ chunks: Chunk[]; replaced?: Chunk }> {
  const chunks = [...before];
  let first = start;
  let next = start;
  let text = '';
  let bytes = 0;
  let replaced: Chunk | undefined;
  const open = chunks.at(-1);
  if (open && open[3] < fullBytes(chunks.length)) {
    text = (await artifacts.read(chunkKey(organisation, jobId, open))) ?? missing(organisation, jobId, open);
    [first, , , bytes] = open;
    replaced = open;
    chunks.pop();
  }
  const close = async () => {
    const chunk: Chunk = [first, next - 1, version, bytes];
    await artifacts.write(chunkKey(organisation, jobId, chunk), text, 'application/x-ndjson');
    chunks.push(chunk);
    first = next;
    text = '';
    bytes = 0;
  };
  for (const line of lines) {
    text += `${line}\n`;
    bytes += Buffer.byteLength(line) + 1;
    next++;
    if (bytes >= fullBytes(chunks.length)) await close();
  }
  if (bytes > 0) await close();
  return { chunks, ...(replaced ? { replaced } : {}) };
}

function missing(organisation: string, jobId: string, chunk: Chunk): never {
  throw new Error(
    `The log of ${jobId} names an object that is not there: ${chunkKey(organisation, jobId, chunk)}`,
  );
}

export interface LineRange {
  from: number;
  /** Not included. */
  to: number;
  limit: number;
}

/**
 * Kept lines of the range, at most `limit` and about 768 KiB, at least one where there is one; and where to read on.
 * Nothing where an object is not there, unless those are passed over.
 */
export async function readLines(
  { artifacts, organisation, jobId }: ChunkStore,
  tail: Kept,
  { from, to, limit }: LineRange,
  passOverMissing = false,
): Promise<{ lines: LogLine[]; next: number } | undefined> {
  const lines: LogLine[] = [];
  let next = from;
  let bytes = 0;
  /** False once the page is full. */
  const take = (encoded: string[]): boolean => {
    for (const line of encoded) {
      if (lines.length >= limit || (lines.length > 0 && bytes + line.length > pageBytes)) return false;
      bytes += line.length;
      lines.push(JSON.parse(line) as LogLine);
      next++;
    }
    return true;
  };
  for (const chunk of tail.chunks) {
    const [first, last] = chunk;
    if (last < from) continue;
    if (first >= to) return { lines, next };
    const text = await artifacts.read(chunkKey(organisation, jobId, chunk));
    if (text === undefined) {
      if (!passOverMissing) return undefined;
      next = last + 1;
    } else if (!take(text.split('\n').slice(Math.max(0, from - first), Math.min(to, last + 1) - first)))
      return { lines, next };
  }
  const first = linesInObjects(tail);
  take(tail.recent.slice(Math.max(0, from - first), Math.max(0, to - first)));
  return { lines, next };
}

/** The kept lines themselves: objects of newline-delimited JSON. The last one is rewritten until it is full. */
import type { Artifacts } from '../aws/artifacts.ts';
import type { LogLine } from '../model/common.ts';
import type { Chunk } from './tail.ts';

const kib = 1024;
/** Objects of long logs are larger, so that the index stays small. */
const fullBytes = (count: number) => (count < 200 ? 256 * kib : count < 400 ? 1024 * kib : 4096 * kib);
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

/**
 * Puts `lines` behind the kept ones and answers the index as it is then, with the object that it no longer names.
 * Until somebody writes that index, nothing has happened.
 */
export async function appendLines(
  { artifacts, organisation, jobId }: ChunkStore,
  kept: { chunks: Chunk[]; lines: number },
  version: number,
  lines: LogLine[],
): Promise<{ chunks: Chunk[]; lines: number; replaced?: Chunk }> {
  const chunks = [...kept.chunks];
  let first = kept.lines;
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
  let next = kept.lines;
  const close = async () => {
    const chunk: Chunk = [first, next - 1, version, bytes];
    await artifacts.write(chunkKey(organisation, jobId, chunk), text, 'application/x-ndjson');
    chunks.push(chunk);
    first = next;
    text = '';
    bytes = 0;
  };
  for (const line of lines) {
    const encoded = `${JSON.stringify(line)}\n`;
    text += encoded;
    bytes += Buffer.byteLength(encoded);
    next++;
    if (bytes >= fullBytes(chunks.length)) await close();
  }
  if (bytes > 0) await close();
  return { chunks, lines: next, ...(replaced ? { replaced } : {}) };
}

function missing(organisation: string, jobId: string, chunk: Chunk): never {
  throw new Error(
    `The log of ${jobId} names an object that is not there: ${chunkKey(organisation, jobId, chunk)}`,
  );
}

/**
 * Kept lines from `from` up to `to` (not included), at most `limit` and about 768 KiB, at least one where there is one.
 * Nothing where an object has meanwhile been replaced by a longer one: the caller reads the index again.
 */
export async function readLines(
  { artifacts, organisation, jobId }: ChunkStore,
  chunks: Chunk[],
  range: { from: number; to: number; limit: number },
): Promise<LogLine[] | undefined> {
  const found: LogLine[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const [first, last] = chunk;
    if (last < range.from) continue;
    if (first >= range.to) break;
    const text = await artifacts.read(chunkKey(organisation, jobId, chunk));
    if (text === undefined) return undefined;
    const lines = text.split('\n').slice(0, -1);
    for (const line of lines.slice(Math.max(0, range.from - first), range.to - first)) {
      if (found.length >= range.limit || (found.length > 0 && bytes + line.length > pageBytes)) return found;
      bytes += line.length;
      found.push(JSON.parse(line) as LogLine);
    }
  }
  return found;
}

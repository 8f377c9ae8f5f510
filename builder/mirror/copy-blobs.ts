/** Brings blobs from one repository to another: several at once, streaming, and only those that aren't there. */
import { addAbortSignal } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fewAtOnce } from '../../shared/concurrency/few-at-once.ts';
import { type RegistryClient, RegistryError } from '../../shared/registry/model.ts';
import type { Blob } from './contents.ts';
import { ofSource, ofTarget } from './refusals.ts';

export interface Side {
  client: RegistryClient;
  repository: string;
}

export interface BlobCounts {
  movedBlobs: number;
  mountedBlobs: number;
  existingBlobs: number;
  movedBytes: number;
}

const atOnce = 4;
const attempts = 3;
const longestWaitSeconds = 30;
const progressSeconds = 10;

/** `say` hears a line for each blob, and how far a long one has come. Throws `BuildError`. */
export async function copyBlobs(
  from: Side,
  to: Side,
  blobs: Blob[],
  say: (line: string) => void,
): Promise<BlobCounts> {
  const counts: BlobCounts = { movedBlobs: 0, mountedBlobs: 0, existingBlobs: 0, movedBytes: 0 };
  // The largest first, so that none of them is left over for the end.
  const largestFirst = blobs.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  const stop = new AbortController();
  const pause = new Pause(stop.signal);
  await fewAtOnce(largestFirst, atOnce, async (blob) => {
    const started = performance.now();
    const { how, sizeBytes } = await bring(from, to, blob, say, pause, stop.signal).catch(
      (error: unknown) => {
        // What the others carry is of no use any more.
        stop.abort();
        throw error;
      },
    );
    if (how === 'moved') counts.movedBytes += sizeBytes;
    counts[`${how}Blobs`]++;
    const word = how === 'existing' ? 'exists' : how;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`layer ${blob.digest} ${sizeBytes} bytes ${word} ${seconds} s`);
  });
  return counts;
}

async function bring(
  from: Side,
  to: Side,
  { digest, sizeBytes }: Blob,
  say: (line: string) => void,
  pause: Pause,
  signal: AbortSignal,
): Promise<{ how: 'moved' | 'mounted' | 'existing'; sizeBytes: number }> {
  for (let attempt = 1; ; attempt++) {
    await pause.end();
    try {
      const there = await to.client
        .hasBlob(to.repository, digest)
        .catch((error: unknown) => Promise.reject(new MoveError(error, ofTarget(error))));
      if (there !== undefined) return { how: 'existing', sizeBytes: sizeBytes || there };
      if (from.client.host === to.client.host && (await mounted(from, to, digest)))
        return { how: 'mounted', sizeBytes };
      return { how: 'moved', sizeBytes: await move(from, to, digest, say, signal) };
    } catch (error) {
      const { cause } = error as Error;
      if (attempt >= attempts || !mayPass(cause)) throw (error as { told?: unknown }).told ?? error;
      const isForAll = cause.retryAfterSeconds !== undefined;
      const wait = cause.retryAfterSeconds ?? 2 ** attempt;
      if (isForAll) pause.begin(wait);
      say(`retrying layer ${digest} in ${wait} s: ${cause.message}`);
      if (!isForAll) await sleep(wait * 1000, undefined, { signal });
    }
  }
}

/** Not every account may read the one repository and write the other, nor does every registry mount. */
async function mounted(from: Side, to: Side, digest: string): Promise<boolean> {
  try {
    return await to.client.mountBlob(to.repository, digest, from.repository);
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

/** What a registry asks of one worker is meant for all of them: no blob is begun before it is over. */
class Pause {
  #until = 0;
  readonly #signal: AbortSignal;
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  begin(seconds: number): void {
    this.#until = Math.max(this.#until, performance.now() + seconds * 1000);
  }

  /** Another worker may hear of a longer one meanwhile. */
  async end(): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left())
      await sleep(left, undefined, { signal: this.#signal });
  }

  #left(): number {
    return this.#until - performance.now();
  }
}

/** Nobody is asked earlier than told, nor without being told when: any other wait is for whoever wants the mirror. */
const mayPass = (error: unknown): error is RegistryError =>
  error instanceof RegistryError &&
  (error.code === 'unreachable' ||
    (error.code === 'rate-limited' && (error.retryAfterSeconds ?? Infinity) <= longestWaitSeconds));

/** Somebody's refusal, with what it means for the job. */
class MoveError extends Error {
  readonly told: unknown;
  constructor(cause: unknown, told: unknown) {
    super('a blob could not be moved', { cause });
    this.name = 'MoveError';
    this.told = told;
  }
}

async function move(
  from: Side,
  to: Side,
  digest: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const blob = await from.client
    .getBlob(from.repository, digest)
    .catch((error: unknown) => Promise.reject(new MoveError(error, ofSource(error))));
  const { stream } = blob;
  addAbortSignal(signal, stream);
  const timer = setInterval(
    () => say(`layer ${digest} ${blob.passedBytes()} of ${blob.sizeBytes ?? 'unknown'} bytes`),
    progressSeconds * 1000,
  );
  try {
    await to.client.putBlob(to.repository, digest, blob);
    return blob.passedBytes();
  } catch (error) {
    // The target's client reports a broken stream in its own words; the reason is the source's.
    throw stream.errored
      ? new MoveError(stream.errored, ofSource(stream.errored))
      : new MoveError(error, ofTarget(error));
  } finally {
    clearInterval(timer);
    stream.destroy();
  }
}

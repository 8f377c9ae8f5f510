import type { IncomingMessage } from 'node:http';
import { RegistryError } from './model.ts';
import { classified } from './network-errors.ts';

const firstBytes = 16 * 1024;
/** Networks deliver more than a few bytes at once; a body in millions of pieces is meant to do harm. */
const mostPieces = 20_000;
const discardedBytes = 64 * 1024;

/** The whole body. Throws `too-large` above `limitBytes`, and `unreachable` when it isn't all there in `withinMs`. */
export function readBody(
  answer: IncomingMessage,
  host: string,
  limitBytes: number,
  withinMs = 30_000,
): Promise<Buffer> {
  return new Promise((read, failed) => {
    // One buffer that grows, and no list of chunks: there may be as many of those as bytes, each with its own weight.
    let kept = Buffer.allocUnsafe(Math.min(limitBytes, firstBytes));
    let length = 0;
    let pieces = 0;
    const end = (error?: unknown) => {
      clearTimeout(late);
      answer.off('data', take);
      answer.destroy();
      if (error === undefined) read(kept.subarray(0, length));
      else failed(classified(error, host));
    };
    const refuse = (why: string) => end(new RegistryError('too-large', host, `${host} ${why}`));
    const take = (chunk: Buffer) => {
      const next = length + chunk.length;
      if (++pieces > mostPieces) return refuse('sends its answer in too many pieces');
      if (next > limitBytes) return refuse(`sent more than ${limitBytes} bytes`);
      if (next > kept.length) {
        const grown = Buffer.allocUnsafe(Math.min(limitBytes, Math.max(next, kept.length * 2)));
        kept.copy(grown, 0, 0, length);
        kept = grown;
      }
      chunk.copy(kept, length);
      length = next;
    };
    const late = setTimeout(
      () => end(new RegistryError('unreachable', host, `${host} sends too slowly`)),
      withinMs,
    );
    answer.once('end', () => end());
    answer.on('error', end);
    // A connection that breaks before the end, without an error of its own.
    answer.once('close', () => end(new RegistryError('unreachable', host, `${host} broke off its answer`)));
    answer.on('data', take);
  });
}

/**
 * What nobody wants to know is read to its end, so that the connection can be used again, or cut off where it has no
 * end. Never throws.
 */
export function discard(answer: IncomingMessage, withinMs = 5000): void {
  let length = 0;
  const cut = () => answer.destroy();
  const late = setTimeout(cut, withinMs).unref();
  answer.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > discardedBytes) cut();
  });
  answer.once('error', cut);
  answer.once('close', () => clearTimeout(late));
}

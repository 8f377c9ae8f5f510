import type { IncomingMessage } from 'node:http';
import { RegistryError } from './model.ts';
import { classified, unreachable } from './network-errors.ts';

/** Of a body that doesn't say its length. */
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
    // Bytes that grow, and no list of chunks: there may be as many of those as bytes, each with its own weight.
    const announced = Number(answer.headers['content-length'] ?? firstBytes);
    let kept = new ArrayBuffer(Math.min(limitBytes, announced));
    let length = 0;
    let pieces = 0;
    let ended = false;
    const end = (error?: unknown) => {
      if (ended) return;
      ended = true;
      clearTimeout(late);
      if (error === undefined) return read(Buffer.from(kept, 0, length));
      answer.off('data', take);
      answer.destroy();
      // At once: left to the collector, the bodies of a few refusals would lie side by side.
      kept.transfer(0);
      failed(classified(error, host));
    };
    const refuse = (why: string) => end(new RegistryError('too-large', host, `${host} ${why}`));
    const take = (chunk: Buffer) => {
      const next = length + chunk.length;
      if (++pieces > mostPieces) return refuse('sent its response in too many pieces');
      if (next > limitBytes) return refuse(`sent more than ${limitBytes} bytes`);
      // Transferred, not copied, so that nothing is left behind either.
      if (next > kept.byteLength)
        kept = kept.transfer(Math.min(limitBytes, Math.max(next, kept.byteLength * 2)));
      new Uint8Array(kept).set(chunk, length);
      length = next;
    };
    const late = setTimeout(() => end(unreachable(host, 'sent its response too slowly')), withinMs);
    answer.on('end', () => end());
    answer.on('error', end);
    // A connection that breaks before the end, without an error of its own.
    answer.on('close', () => {
      // Every answer comes here in the end, and an error costs more than all of the reading.
      if (!ended) end(unreachable(host, 'closed the connection during its response'));
    });
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

/** Request bodies: read whole up to a limit, or streamed with their digest checked at the end. */
import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { AwsError } from '../platform.ts';

/**
 * Reads the body to its end. Throws AwsError `RequestEntityTooLarge` (413) as soon as more than `limitBytes` have come;
 * the stream is left as it is then, since destroying a request takes the connection with it, and the answer.
 */
export async function readAll(stream: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroyed, a refused request would take the connection with it, and whatever the client sends next on it.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > limitBytes) {
      throw new AwsError('RequestEntityTooLarge', `The request body has more than ${limitBytes} bytes`, 413);
    }
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/**
 * A stream of its own for a service, which may leave or destroy it without harm to the connection. With `sha256`, its end
 * fails with `XAmzContentSHA256Mismatch` unless the body has the digest that was signed.
 */
export function detached(stream: Readable, sha256?: string): Readable {
  const hash = createHash('sha256');
  const passed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (sha256) hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
      const isRight = !sha256 || hash.digest('hex') === sha256;
      done(isRight ? null : new AwsError('XAmzContentSHA256Mismatch', message, 400));
    },
  });
  stream.on('error', (error) => passed.destroy(error));
  // A service that has answered already hears no more of it.
  passed.on('error', () => undefined);
  return stream.pipe(passed);
}

/** Takes what is left of a body after the answer, so that the connection can serve the next request. */
export function discardRest(stream: Readable): void {
  stream.unpipe();
  stream.resume();
}

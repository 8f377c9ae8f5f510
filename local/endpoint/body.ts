/** Request bodies: read whole up to a limit, or streamed with their digest checked at the end. */
import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { AwsError } from '../platform.ts';

/** @throws AwsError `RequestEntityTooLarge` (413) as soon as more than `limitBytes` have come */
export async function readAll(stream: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroyed, a refused request would take the connection with it, and whatever the client sends next on it.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > limitBytes) {
      throw new AwsError('RequestEntityTooLarge', `the body has more than ${limitBytes} bytes`, 413);
    }
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** Passes the body on; its end fails with `XAmzContentSHA256Mismatch` unless it has the digest that was signed. */
export function withDigest(stream: Readable, sha256: string): Readable {
  const hash = createHash('sha256');
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const actual = hash.digest('hex');
      const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
      done(actual === sha256 ? null : new AwsError('XAmzContentSHA256Mismatch', message, 400));
    },
  });
  stream.on('error', (error) => checked.destroy(error));
  return stream.pipe(checked);
}

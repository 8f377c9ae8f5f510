/** A blob on its way from one registry to another: hashed once, while it passes. */
import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { otherBytes, requireForm } from './digest.ts';
import { type BlobStream, RegistryError } from './model.ts';

/** The body of `answer`. Throws `corrupt` for what is no digest. */
export function blobStream(answer: IncomingMessage, digest: string, host: string): BlobStream {
  const stream = new Verified(digest, host);
  // Before the pipeline, which would pass it on as an error without a code.
  answer.once('error', (cause) =>
    stream.destroy(
      new RegistryError('unreachable', host, `${host} closed the connection during a blob`, { cause }),
    ),
  );
  pipeline(answer, stream, () => {
    // Whoever reads the stream gets the error from the stream itself.
  });
  // It may end before anybody reads it, who finds it ended then.
  stream.on('error', () => {});
  const length = answer.headers['content-length'];
  return {
    stream,
    sizeBytes: length === undefined ? undefined : Number(length),
    passedBytes: () => stream.passedBytes,
  };
}

/**
 * Passes bytes on and ends in `corrupt` where they weren't those of `digest`. The last piece is held back until that is
 * known: nobody who is told the length has the whole of what is something else.
 */
class Verified extends Transform {
  passedBytes = 0;
  readonly #digest: string;
  readonly #host: string;
  readonly #hash: Hash;
  #last: Buffer | undefined;

  constructor(digest: string, host: string) {
    super();
    this.#digest = digest;
    this.#host = host;
    this.#hash = createHash(requireForm(digest, host));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.passedBytes += chunk.length;
    if (this.#last) this.push(this.#last);
    this.#last = chunk;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#hash.digest('hex') === this.#digest.split(':')[1]) done(null, this.#last);
    else done(otherBytes(this.#host, this.#digest));
  }
}

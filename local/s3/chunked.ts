/** The `aws-chunked` content encoding with unsigned chunks, and the trailers after its last chunk. */
import { Transform, type TransformCallback } from 'node:stream';
import { AwsError } from '../platform.ts';

const maxLineBytes = 16_384;

const broken = (): AwsError =>
  new AwsError('IncompleteBody', 'The request body terminated unexpectedly', 400);

/** Decodes chunks; once it has ended, `trailers` has what followed them, by lower-case name. */
export class ChunkedDecoder extends Transform {
  readonly trailers: Record<string, string> = {};
  #pending: Buffer = Buffer.alloc(0);
  #state: 'size' | 'data' | 'data-end' | 'trailers' | 'done' = 'size';
  #left = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#state === 'done' ? null : broken());
  }

  /** False once more input is needed. */
  #step(): boolean {
    if (this.#state === 'done') return false;
    if (this.#state === 'data') {
      const data = this.#pending.subarray(0, this.#left);
      if (data.length === 0) return false;
      this.#pending = this.#pending.subarray(data.length);
      this.#left -= data.length;
      this.push(data);
      if (this.#left === 0) this.#state = 'data-end';
      return true;
    }
    const line = this.#takeLine();
    if (line === undefined) return false;
    if (this.#state === 'data-end') {
      if (line !== '') throw broken();
      this.#state = 'size';
    } else if (this.#state === 'size') {
      if (!/^[0-9a-f]{1,8}(;.*)?$/i.test(line)) throw broken();
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'data';
    } else if (line === '') this.#state = 'done';
    else {
      const colon = line.indexOf(':');
      if (colon < 1)
        throw new AwsError(
          'MalformedTrailerError',
          'The request contained trailing data that was not well-formed.',
          400,
        );
      this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    return true;
  }

  #takeLine(): string | undefined {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) {
      if (this.#pending.length > maxLineBytes) throw broken();
      return undefined;
    }
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }
}

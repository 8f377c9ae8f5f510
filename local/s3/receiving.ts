/** Takes an object's body to a file, checking everything the request says of it. */
import { createWriteStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsError, type RestCall } from '../platform.ts';
import { checksumBytes, checksumDigests, type Digest, md5Digest } from './checksums.ts';
import { ChunkedDecoder } from './chunked.ts';

export const maxObjectBytes = 5 * 1024 ** 3;

export interface Received {
  sizeBytes: number;
  /** MD5 in hex: the ETag without its quotes. */
  etag: string;
  /** By algorithm, as in `x-amz-checksum-<algorithm>`. */
  checksums: Record<string, string>;
}

const invalid = (message: string): AwsError => new AwsError('InvalidRequest', message, 400);

/** The one checksum that the request promises, in a header or in a trailer. */
function promisedChecksum(headers: RestCall['headers']): { algorithm: string; value?: string } | undefined {
  const stated = Object.keys(checksumDigests).filter((one) => headers[`x-amz-checksum-${one}`] !== undefined);
  if (stated.length > 1)
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const trailer = headers['x-amz-trailer']?.toLowerCase();
  const named = headers['x-amz-sdk-checksum-algorithm']?.toLowerCase();
  const algorithm = stated[0] ?? trailer?.replace('x-amz-checksum-', '');
  if (algorithm === undefined) {
    if (named !== undefined)
      throw invalid(
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      );
    return undefined;
  }
  if (!checksumDigests[algorithm])
    throw invalid('The value specified in the x-amz-trailer header is not supported');
  if (named !== undefined && named !== algorithm)
    throw invalid(`Value for x-amz-sdk-checksum-algorithm header is invalid.`);
  const value = stated[0] && headers[`x-amz-checksum-${stated[0]}`];
  if (value !== undefined) checkForm(algorithm, value);
  return { algorithm, value };
}

function checkForm(algorithm: string, value: string): void {
  if (Buffer.from(value, 'base64').length !== checksumBytes[algorithm])
    throw invalid(`Value for x-amz-checksum-${algorithm} header is invalid.`);
}

/** How many bytes the object will have. S3 takes no body of unknown length. */
function statedLength(headers: RestCall['headers'], chunked: boolean): number {
  if (!chunked && headers['transfer-encoding'] !== undefined)
    throw new AwsError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
      501,
      {
        Header: 'Transfer-Encoding',
      },
    );
  const text = headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (text === undefined)
    throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  const length = Number(text);
  if (!/^\d+$/.test(text)) throw invalid('The Content-Length header is invalid.');
  if (length > maxObjectBytes)
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
      ProposedSize: length,
      MaxSizeAllowed: maxObjectBytes,
    });
  return length;
}

function statedMd5(headers: RestCall['headers']): string | undefined {
  const value = headers['content-md5'];
  if (value !== undefined && Buffer.from(value, 'base64').length !== 16)
    throw new AwsError('InvalidDigest', 'The Content-MD5 you specified was invalid.', 400);
  return value;
}

const badDigest = (name: string): AwsError =>
  new AwsError('BadDigest', `The ${name} you specified did not match the calculated checksum.`, 400);

class Measuring extends Transform {
  sizeBytes = 0;
  readonly #digests: Digest[];
  readonly #limitBytes: number;

  constructor(digests: Digest[], limitBytes: number) {
    super();
    this.#digests = digests;
    this.#limitBytes = limitBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null, data?: Buffer) => void,
  ): void {
    this.sizeBytes += chunk.length;
    if (this.sizeBytes > this.#limitBytes) done(incomplete());
    else {
      for (const digest of this.#digests) digest.update(chunk);
      done(null, chunk);
    }
  }
}

const incomplete = (): AwsError =>
  new AwsError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    400,
  );

async function pipe(
  body: Readable,
  measuring: Measuring,
  path: string,
  decoder?: ChunkedDecoder,
): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    if (decoder) await pipeline(body, decoder, measuring, file);
    else await pipeline(body, measuring, file);
  } catch (error) {
    // A client that goes away in the middle leaves half a body.
    if (error instanceof AwsError || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw incomplete();
  }
}

/**
 * Writes the body to `path`. Throws AWS's error where length, Content-MD5 or checksum don't fit; the file is
 * then the caller's to remove.
 */
export async function receiveBody(call: RestCall, path: string): Promise<Received> {
  const { headers } = call;
  const kind = headers['x-amz-content-sha256'] ?? '';
  if (kind.startsWith('STREAMING-AWS4-'))
    throw new AwsError(
      'NotImplemented',
      `The embedded cloud does not implement signed chunks (${kind}).`,
      501,
    );
  const decoder = kind === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' ? new ChunkedDecoder() : undefined;
  const promised = promisedChecksum(headers);
  if (promised && promised.value === undefined && !decoder)
    throw invalid('The value specified in the x-amz-trailer header is not supported');
  const length = statedLength(headers, decoder !== undefined);
  const md5 = statedMd5(headers);

  const algorithm = promised?.algorithm ?? 'crc64nvme';
  const checksum = checksumDigests[algorithm]?.() ?? md5Digest();
  const etag = md5Digest();
  const measuring = new Measuring([etag, checksum], length);
  await pipe(call.body, measuring, path, decoder);
  if (measuring.sizeBytes !== length) throw incomplete();

  const actual = checksum.value();
  const expected = promised && (promised.value ?? decoder?.trailers[`x-amz-checksum-${algorithm}`]);
  if (promised && expected === undefined)
    throw new AwsError(
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed.',
      400,
    );
  if (expected !== undefined && expected !== actual) throw badDigest(algorithm.toUpperCase());
  const actualMd5 = etag.value();
  if (md5 !== undefined && md5 !== actualMd5)
    throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400);
  return {
    sizeBytes: length,
    etag: Buffer.from(actualMd5, 'base64').toString('hex'),
    checksums: { [algorithm]: actual },
  };
}

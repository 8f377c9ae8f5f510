/** Multipart uploads, which clients make of whatever is larger than a few megabytes. */
import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { AwsError, type RestAnswer, type RestCall } from '../platform.ts';
import { authorize, authorizeMissing, type BucketAccess } from './access.ts';
import { checksumDigests, type Digest } from './checksums.ts';
import { writeCondition } from './conditions.ts';
import { checksumHeaders } from './reading.ts';
import { maxObjectBytes, receiveBody } from './receiving.ts';
import { noSuchKey } from './store.ts';
import type { Part, Upload, UploadStore } from './uploads.ts';
import { checkRequest, copySource, policyContext, storedHeaders } from './writing.ts';
import { malformedXml, parseXml, type XmlFields, xmlAnswer } from './xml.ts';

const minPartBytes = 5 * 1024 ** 2;
const maxPartNumber = 10_000;
const maxRequestBytes = 2 * 1024 ** 2;

export interface MultipartAccess extends BucketAccess {
  uploads: UploadStore;
}

const invalid = (message: string, details = {}): AwsError =>
  new AwsError('InvalidRequest', message, 400, details);
const memberOf = (algorithm: string) => `Checksum${algorithm.toUpperCase()}`;
export const shownChecksums = (checksums: Record<string, string>): XmlFields =>
  Object.fromEntries(Object.entries(checksums).map(([name, value]) => [memberOf(name), value]));

export function createUpload(
  access: MultipartAccess,
  call: RestCall,
  bucket: string,
  key: string,
): RestAnswer {
  const { headers } = call;
  authorize(access, call, 's3:PutObject', bucket, key, policyContext(headers));
  checkRequest(headers, key);
  const algorithm = headers['x-amz-checksum-algorithm']?.toLowerCase();
  if (algorithm !== undefined && !checksumDigests[algorithm])
    throw invalid('Checksum algorithm provided is unsupported. Please try again with any of the valid types');
  const usual = algorithm === undefined || algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE';
  const type = headers['x-amz-checksum-type'] ?? usual;
  if (
    (type !== 'COMPOSITE' && type !== 'FULL_OBJECT') ||
    (type === 'FULL_OBJECT' && /sha/.test(algorithm ?? ''))
  )
    throw invalid(`The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`);
  const upload = access.uploads.create({ bucket, key, headers: storedHeaders(headers), algorithm, type });
  const answer = xmlAnswer('InitiateMultipartUploadResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
  });
  if (algorithm)
    Object.assign(answer.headers ?? {}, {
      'x-amz-checksum-algorithm': algorithm.toUpperCase(),
      'x-amz-checksum-type': type,
    });
  return answer;
}

function readPartNumber(call: RestCall): number {
  const text = call.query.get('partNumber') ?? '';
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= maxPartNumber) return number;
  throw new AwsError(
    'InvalidArgument',
    'Part number must be an integer between 1 and 10000, inclusive',
    400,
    { ArgumentName: 'partNumber', ArgumentValue: text },
  );
}

/** What a part is copied from: an object, or a range of one, as a body of its own. */
function copiedBody(access: MultipartAccess, call: RestCall): RestCall {
  const from = copySource(call);
  authorize(access, call, 's3:GetObject', from.bucket, from.key);
  const source = access.store.object(from.bucket, from.key);
  if (!source) {
    authorizeMissing(access, call, from.bucket);
    throw noSuchKey(from.key);
  }
  const range = call.headers['x-amz-copy-source-range'];
  const [, first = '0', last = String(source.sizeBytes - 1)] =
    /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? (range === undefined ? [] : ['', '', '']);
  const [start, end] = [Number(first), Number(last)];
  if (first === '' || start > end || end >= source.sizeBytes)
    throw new AwsError(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      400,
      { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: range },
    );
  const body = createReadStream(access.store.pathOf(source.file), { start, end });
  return { ...call, headers: { 'content-length': String(end - start + 1) }, body };
}

export async function uploadPart(
  access: MultipartAccess,
  call: RestCall,
  bucket: string,
  key: string,
): Promise<RestAnswer> {
  authorize(access, call, 's3:PutObject', bucket, key, policyContext(call.headers));
  const number = readPartNumber(call);
  const upload = access.uploads.find(call.query.get('uploadId') ?? '', bucket, key);
  const isCopy = call.headers['x-amz-copy-source'] !== undefined;
  const path = access.store.newIncomingPath();
  try {
    const received = await receiveBody(isCopy ? copiedBody(access, call) : call, path);
    const [actual] = Object.keys(received.checksums);
    if (upload.algorithm && upload.type === 'COMPOSITE' && !isCopy && actual !== upload.algorithm)
      throw invalid(
        `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm}, actual checksum Type: ${actual}`,
      );
    const { etag, checksums, modifiedAt } = access.uploads.keep(upload, number, received, path);
    if (isCopy)
      return xmlAnswer('CopyPartResult', {
        LastModified: new Date(modifiedAt).toISOString(),
        ETag: `"${etag}"`,
      });
    const own = Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]);
    return {
      status: 200,
      headers: { etag: `"${etag}"`, ...Object.fromEntries(own), 'x-amz-server-side-encryption': 'AES256' },
    };
  } finally {
    rmSync(path, { force: true });
  }
}

/** The parts that a completion names, in its order. */
function chosenParts(body: Buffer, parts: Part[]): Part[] {
  const request = parseXml(body.toString());
  const named = request.children.filter(({ name }) => name === 'Part');
  if (request.name !== 'CompleteMultipartUpload' || named.length === 0) throw malformedXml();
  const chosen = named.map(({ children }) => {
    const of = (name: string) => children.find((one) => one.name === name)?.text;
    const part = parts.find(({ number }) => number === Number(of('PartNumber')));
    const isRight =
      part &&
      of('ETag')?.replaceAll('"', '') === part.etag &&
      Object.entries(part.checksums).every(([name, value]) => (of(memberOf(name)) ?? value) === value);
    if (isRight) return part;
    throw new AwsError(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      400,
      { PartNumber: of('PartNumber'), ETag: of('ETag') },
    );
  });
  if (chosen.some(({ number }, i) => i > 0 && number <= (chosen[i - 1]?.number ?? 0)))
    throw new AwsError(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
      400,
    );
  const small = chosen.slice(0, -1).find(({ sizeBytes }) => sizeBytes < minPartBytes);
  if (small)
    throw new AwsError(
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
      400,
      { ProposedSize: small.sizeBytes, MinSizeAllowed: minPartBytes, PartNumber: small.number },
    );
  return chosen;
}

/** Writes the parts behind one another; `digest` sees every byte. */
async function join(access: MultipartAccess, parts: Part[], path: string, digest: Digest): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (const part of parts)
      for await (const chunk of createReadStream(access.uploads.pathOf(part.file))) {
        digest.update(chunk as Buffer);
        await file.writeFile(chunk as Buffer);
      }
  } finally {
    await file.close();
  }
}

/** Of a composite checksum, and of the ETag: the digest of the parts' digests, and how many there are. */
function composite(digest: Digest, values: Buffer[]): string {
  for (const value of values) digest.update(value);
  return `${digest.value()}-${values.length}`;
}

function joinedEtag(parts: Part[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

export async function completeUpload(
  access: MultipartAccess,
  call: RestCall,
  bucket: string,
  key: string,
): Promise<RestAnswer> {
  authorize(access, call, 's3:PutObject', bucket, key, policyContext(call.headers));
  const upload: Upload = access.uploads.find(call.query.get('uploadId') ?? '', bucket, key);
  const parts = chosenParts(await call.readBody(maxRequestBytes), access.uploads.parts(upload.id));
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (sizeBytes > maxObjectBytes)
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400);
  const stated = call.headers['x-amz-mp-object-size'];
  if (stated !== undefined && Number(stated) !== sizeBytes)
    throw invalid('The provided x-amz-mp-object-size header does not match the size of the parts.');
  const condition = writeCondition(call.headers, key);
  const { algorithm = 'crc64nvme', type } = upload;
  const make = checksumDigests[algorithm] as () => Digest;
  const path = access.store.newIncomingPath();
  try {
    const whole = make();
    await join(access, parts, path, whole);
    const value =
      type === 'FULL_OBJECT'
        ? whole.value()
        : composite(
            make(),
            parts.map(({ checksums }) => Buffer.from(checksums[algorithm] ?? '', 'base64')),
          );
    const expected = call.headers[`x-amz-checksum-${algorithm}`];
    if (expected !== undefined && expected !== value)
      throw new AwsError(
        'BadDigest',
        `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
        400,
      );
    const { headers } = upload;
    const etag = joinedEtag(parts);
    const stored = { bucket, key, sizeBytes, etag, checksums: { [algorithm]: value }, headers };
    access.store.commit(stored, path, condition);
    access.uploads.remove(upload.id);
    return xmlAnswer('CompleteMultipartUploadResult', {
      Location: `${access.cloud.endpointUrl}/${bucket}/${key}`,
      Bucket: bucket,
      Key: key,
      ETag: `"${etag}"`,
      ...shownChecksums(stored.checksums),
      ChecksumType: checksumHeaders(stored)['x-amz-checksum-type'],
    });
  } finally {
    rmSync(path, { force: true });
  }
}

export function abortUpload(
  access: MultipartAccess,
  call: RestCall,
  bucket: string,
  key: string,
): RestAnswer {
  authorize(access, call, 's3:AbortMultipartUpload', bucket, key);
  access.uploads.remove(access.uploads.find(call.query.get('uploadId') ?? '', bucket, key).id);
  return { status: 204 };
}

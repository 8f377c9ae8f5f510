/** Who signed a request: header signatures and presigned queries. */
import { timingSafeEqual } from 'node:crypto';
import type { Key } from '../iam/credentials.ts';
import { type SignatureScope, type SignedRequest, sign, stringToSign } from './canonical.ts';

export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'version-2'
  | 'unknown-key'
  | 'wrong-token'
  | 'expired-token'
  | 'mismatch'
  | 'skewed'
  | 'expired-url'
  | 'unsigned-header'
  | 'wrong-region';

/** A request whose signature doesn't hold; each protocol has its own names for the faults. */
export class SignatureError extends Error {
  readonly fault: SignatureFault;
  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
}

export interface Signature {
  accessKeyId: string;
  scope: SignatureScope;
  signedHeaders: string[];
  signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  timestamp: string;
  sessionToken: string;
  /** Lifetime of a presigned URL; undefined for a signature in the header. */
  expiresSeconds?: number;
}

const skewLimitMs = 15 * 60_000;

const malformed = (what: string) => new SignatureError('malformed', what);

function parseScope(credential: string): { accessKeyId: string; scope: SignatureScope } {
  const [accessKeyId, date, region, service, end] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || end !== 'aws4_request') {
    throw malformed(`Credential must be <key>/<date>/<region>/<service>/aws4_request, not '${credential}'`);
  }
  return { accessKeyId, scope: { date, region, service } };
}

function fromHeader(header: string, request: SignedRequest): Signature {
  if (!header.startsWith('AWS4-HMAC-SHA256 '))
    throw malformed('The embedded cloud supports only AWS4-HMAC-SHA256 signatures');
  const fields: Record<string, string> = Object.fromEntries(
    header
      .slice(17)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')];
      }),
  );
  if (!fields.Credential || !fields.SignedHeaders || !fields.Signature) {
    throw malformed("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'");
  }
  return {
    ...parseScope(fields.Credential),
    signedHeaders: fields.SignedHeaders.split(';'),
    signature: fields.Signature,
    timestamp: request.headers['x-amz-date'] ?? '',
    sessionToken: request.headers['x-amz-security-token'] ?? '',
  };
}

function fromQuery(query: URLSearchParams): Signature {
  const field = (name: string): string => {
    const value = query.get(`X-Amz-${name}`);
    if (!value) throw malformed(`query parameter X-Amz-${name} is missing`);
    return value;
  };
  const expiresSeconds = Number(field('Expires'));
  if (!(expiresSeconds >= 1 && expiresSeconds <= 604_800)) {
    throw malformed('X-Amz-Expires must be between 1 and 604800 seconds');
  }
  return {
    ...parseScope(field('Credential')),
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    timestamp: field('Date'),
    sessionToken: query.get('X-Amz-Security-Token') ?? '',
    expiresSeconds,
  };
}

/** The signature a request carries, not yet checked; undefined when it carries none. */
export function readSignature(request: SignedRequest): Signature | undefined {
  const header = request.headers.authorization;
  // Version 1 of the AWS CLI still presigns with it.
  if (header?.startsWith('AWS ') || (request.query.has('AWSAccessKeyId') && request.query.has('Signature')))
    throw new SignatureError(
      'version-2',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  if (header) return fromHeader(header, request);
  return request.query.has('X-Amz-Signature') ? fromQuery(request.query) : undefined;
}

function checkTimes({ timestamp, scope, expiresSeconds }: Signature, now: number): void {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp) ?? [];
  if (parts.length === 0) throw malformed('the request has no valid X-Amz-Date');
  if (!timestamp.startsWith(scope.date)) throw malformed('the date in Credential differs from X-Amz-Date');
  const [year = 0, month = 0, day = 0, hour, minute, second] = parts.map(Number);
  const signedAt = Date.UTC(year, month - 1, day, hour, minute, second);
  if (expiresSeconds !== undefined && now > signedAt + expiresSeconds * 1000) {
    throw new SignatureError('expired-url', 'Request has expired');
  }
  const isEarly = signedAt - now > skewLimitMs;
  const isLate = expiresSeconds === undefined && now - signedAt > skewLimitMs;
  if (isEarly || isLate) {
    throw new SignatureError(
      'skewed',
      `Signature expired: ${timestamp} is more than 15 minutes from the server's time`,
    );
  }
}

function checkKey(signature: Signature, key: Key | undefined, now: number): Key {
  if (!key) throw new SignatureError('unknown-key', 'The security token included in the request is invalid.');
  if (key.sessionToken !== signature.sessionToken) {
    throw new SignatureError('wrong-token', 'The security token included in the request is invalid.');
  }
  if (key.expiresAt <= now) {
    throw new SignatureError('expired-token', 'The security token included in the request is expired');
  }
  return key;
}

/**
 * Checks key, times, region, signed headers and the signature itself.
 * @param payloadHash what the signature says of the body: a SHA-256 in hex, or `UNSIGNED-PAYLOAD` and the like
 * @throws SignatureError
 */
export function checkSignature(
  signature: Signature,
  request: SignedRequest,
  payloadHash: string,
  place: { region: string; now: number; findKey(accessKeyId: string): Key | undefined },
): Key {
  const key = checkKey(signature, place.findKey(signature.accessKeyId), place.now);
  checkTimes(signature, place.now);
  const { scope, signedHeaders, timestamp } = signature;
  if (scope.region !== place.region) {
    throw new SignatureError(
      'wrong-region',
      `the region '${scope.region}' is wrong; expecting '${place.region}'`,
    );
  }
  if (!signedHeaders.includes('host')) throw malformed("'host' must be a signed header");
  const unsigned = Object.keys(request.headers).find(
    (name) => scope.service === 's3' && name.startsWith('x-amz-') && !signedHeaders.includes(name),
  );
  if (unsigned) {
    throw new SignatureError(
      'unsigned-header',
      `There were headers present in the request which were not signed: ${unsigned}`,
    );
  }
  const text = stringToSign(request, signedHeaders, payloadHash, scope, timestamp);
  const expected = Buffer.from(sign(key.secretAccessKey, scope, text));
  const actual = Buffer.from(signature.signature);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    throw new SignatureError(
      'mismatch',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method.',
    );
  }
  return key;
}

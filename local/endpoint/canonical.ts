/** The canonical form of a request, as AWS's Signature Version 4 defines it. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export const sha256Hex = (data: string | Buffer): string => hash('sha256', data);
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Percent-encodes all but RFC 3986's unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

export interface SignedRequest {
  method: string;
  /** As received, percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
}

export interface SignatureScope {
  /** `YYYYMMDD`. */
  date: string;
  region: string;
  service: string;
}

/** What is signed: S3 takes the path as it is, every other service encodes it once more. */
export function stringToSign(
  request: SignedRequest,
  signedHeaders: string[],
  payloadHash: string,
  scope: SignatureScope,
  timestamp: string,
): string {
  const path = scope.service === 's3' ? request.path : request.path.split('/').map(encode).join('/');
  const headers = signedHeaders
    .map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`)
    .join('');
  const canonical = [
    request.method,
    path,
    canonicalQuery(request.query),
    headers,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const place = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  return ['AWS4-HMAC-SHA256', timestamp, place, sha256Hex(canonical)].join('\n');
}

/** As key objects: Node takes several times as long to make one of bytes as to sign a request with it. */
const signingKeys = new Map<string, KeyObject>();

/** The signature in hex. The day's derived key is kept, since deriving costs four more digests. */
export function sign(secretAccessKey: string, scope: SignatureScope, text: string): string {
  const name = `${secretAccessKey}/${scope.date}/${scope.region}/${scope.service}`;
  let key = signingKeys.get(name);
  if (!key) {
    const region = hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region);
    key = createSecretKey(hmac(hmac(region, scope.service), 'aws4_request'));
    if (signingKeys.size > 500) signingKeys.clear();
    signingKeys.set(name, key);
  }
  return createHmac('sha256', key).update(text).digest('hex');
}

/** AWS's wire protocols: which one a request speaks, and how each says that something went wrong. */
import { AwsError, type RestAnswer } from '../platform.ts';
import type { SignedRequest } from './canonical.ts';
import { cborMap } from './cbor.ts';
import { SignatureError, type SignatureFault } from './signature.ts';

/**
 * `json`: X-Amz-Target, both versions; `cbor`: Smithy's RPC; `rest-json`: Batch, SES, Lambda; `rest-xml`: Route 53,
 * CloudFront; `s3`: S3's own form of that; `query`: STS, IAM, CloudFormation; `ec2`: EC2's own form of that.
 */
export type Protocol = 'json' | 'cbor' | 'rest-json' | 'rest-xml' | 's3' | 'query' | 'ec2';

const restXml = new Set(['cloudfront', 'route53']);
/** Paths of REST APIs begin with a version or a date. No bucket's name is as short as the one, or a date by accident. */
const versioned = /^\/(?:v\d+|20\d\d-\d\d-\d\d)(?:\/|$)/;
/** EC2 is told by its version where no signature names it. */
const ec2Version = '2016-11-15';

/** On AWS the host names the service. Here it is the signature, and without one the request's form. */
export function protocolOf(
  signingName: string | undefined,
  { path, query, headers }: Pick<SignedRequest, 'path' | 'query' | 'headers'>,
): Protocol {
  if (headers['x-amz-target']) return 'json';
  if (headers['smithy-protocol'] === 'rpc-v2-cbor') return 'cbor';
  if (signingName === 's3') return 's3';
  if (restXml.has(signingName ?? '')) return 'rest-xml';
  if (signingName === 'ec2') return 'ec2';
  const type = headers['content-type'] ?? '';
  if (query.has('Action') || (path === '/' && type.startsWith('application/x-www-form-urlencoded')))
    return query.get('Version') === ec2Version ? 'ec2' : 'query';
  return signingName !== undefined || versioned.test(path) ? 'rest-json' : 's3';
}

/** The parameters of a request of a query protocol, which may be in its URL; none of another. */
export function formOf(protocol: Protocol, { query }: SignedRequest, body: Buffer): URLSearchParams {
  if (protocol !== 'query' && protocol !== 'ec2') return new URLSearchParams();
  return query.has('Action') ? query : new URLSearchParams(body.toString('utf8'));
}

/** The operation that a form or a path of Smithy's RPC names. */
export const rpcOperation = ({ path }: SignedRequest, form: URLSearchParams): string | undefined =>
  form.get('Action') ?? /\/operation\/(\w+)$/.exec(path)?.[1];

/** `query`, or `ec2` where the body says so. */
export const queryProtocolOf = (protocol: Protocol, form: URLSearchParams): Protocol =>
  protocol === 'query' && form.get('Version') === ec2Version ? 'ec2' : protocol;

type FaultNames = Record<SignatureFault, [code: string, status: number]>;

const modernNames: FaultNames = {
  missing: ['MissingAuthenticationTokenException', 403],
  malformed: ['IncompleteSignatureException', 403],
  'version-2': ['IncompleteSignatureException', 403],
  'unknown-key': ['UnrecognizedClientException', 403],
  'wrong-token': ['UnrecognizedClientException', 403],
  'expired-token': ['ExpiredTokenException', 403],
  mismatch: ['InvalidSignatureException', 403],
  skewed: ['InvalidSignatureException', 403],
  'expired-url': ['InvalidSignatureException', 403],
  'unsigned-header': ['InvalidSignatureException', 403],
  'wrong-region': ['InvalidSignatureException', 403],
};

const s3Names: FaultNames = {
  missing: ['AccessDenied', 403],
  malformed: ['AuthorizationHeaderMalformed', 400],
  'version-2': ['InvalidRequest', 400],
  'unknown-key': ['InvalidAccessKeyId', 403],
  'wrong-token': ['InvalidToken', 400],
  'expired-token': ['ExpiredToken', 400],
  mismatch: ['SignatureDoesNotMatch', 403],
  skewed: ['RequestTimeTooSkewed', 403],
  'expired-url': ['AccessDenied', 403],
  'unsigned-header': ['AccessDenied', 403],
  'wrong-region': ['AuthorizationHeaderMalformed', 400],
};

const queryNames: FaultNames = {
  ...s3Names,
  missing: ['MissingAuthenticationToken', 403],
  malformed: ['IncompleteSignature', 400],
  'version-2': ['IncompleteSignature', 400],
  'unknown-key': ['InvalidClientTokenId', 403],
  'wrong-token': ['InvalidClientTokenId', 403],
  'expired-token': ['ExpiredToken', 403],
  skewed: ['SignatureDoesNotMatch', 403],
  'wrong-region': ['SignatureDoesNotMatch', 403],
};

const ec2Names: FaultNames = {
  ...queryNames,
  missing: ['MissingParameter', 400],
  'unknown-key': ['AuthFailure', 401],
  'wrong-token': ['AuthFailure', 401],
  'expired-token': ['RequestExpired', 400],
  mismatch: ['AuthFailure', 401],
  'wrong-region': ['AuthFailure', 401],
};

const faultNames: Record<Protocol, FaultNames> = {
  json: modernNames,
  cbor: modernNames,
  'rest-json': modernNames,
  'rest-xml': queryNames,
  s3: s3Names,
  query: queryNames,
  ec2: ec2Names,
};

/** What is said where a request has no signature at all. */
const unsigned: Partial<Record<Protocol, string>> = {
  s3: 'Access Denied',
  query: 'Request is missing Authentication Token',
  'rest-xml': 'Request is missing Authentication Token',
  ec2: 'The request must contain the parameter AWSAccessKeyId',
};

const denials: Partial<Record<Protocol, string>> = {
  s3: 'AccessDenied',
  query: 'AccessDenied',
  'rest-xml': 'AccessDenied',
  ec2: 'UnauthorizedOperation',
};

/** The JSON protocols answer 400 to whatever the client did wrong. */
const isRpc = (protocol: Protocol) => protocol === 'json' || protocol === 'cbor';

function named(error: unknown, protocol: Protocol): AwsError | undefined {
  if (error instanceof SignatureError) {
    const [code, status] = faultNames[protocol][error.fault];
    const message = error.fault === 'missing' ? (unsigned[protocol] ?? error.message) : error.message;
    return new AwsError(code, message, isRpc(protocol) ? 400 : status);
  }
  if (!(error instanceof AwsError)) return undefined;
  if (error.code !== 'AccessDeniedException' || isRpc(protocol)) return error;
  return new AwsError(denials[protocol] ?? error.code, error.message, 403, error.details);
}

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const xml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

function body(error: AwsError, protocol: Protocol, requestId: string): string | Buffer {
  const { code, message, details } = error;
  if (protocol === 'json') return JSON.stringify({ __type: code, message, ...details });
  if (protocol === 'cbor') return cborMap({ __type: code, message });
  if (protocol === 'rest-json') return JSON.stringify({ message, ...details });
  const facts = `<Code>${xml(code)}</Code><Message>${xml(message)}</Message>`;
  const more = Object.entries(details)
    .map(([name, value]) => `<${name}>${xml(String(value))}</${name}>`)
    .join('');
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (protocol === 's3')
    return `${declaration}<Error>${facts}${more}<RequestId>${requestId}</RequestId></Error>`;
  if (protocol === 'ec2')
    return `${declaration}<Response><Errors><Error>${facts}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
  const sender = error.status < 500 ? 'Sender' : 'Receiver';
  return `<ErrorResponse><Error><Type>${sender}</Type>${facts}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

const contentTypes: Record<Protocol, string> = {
  json: 'application/x-amz-json-1.1',
  cbor: 'application/cbor',
  'rest-json': 'application/json',
  'rest-xml': 'text/xml',
  s3: 'application/xml',
  query: 'text/xml',
  ec2: 'text/xml;charset=UTF-8',
};

/** What the query protocol wraps an operation's result in. */
export function queryAnswer(operation: string, requestId: string, result: string): RestAnswer {
  return {
    status: 200,
    headers: { 'content-type': contentTypes.query },
    body: `<${operation}Response><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`,
  };
}

export interface ErrorContext {
  protocol: Protocol;
  requestId: string;
  /** Of the request: version 1.0 and 1.1 of the JSON protocol are answered in kind. */
  contentType?: string | undefined;
  /** Names that a service which once spoke `query` has kept for clients of that time. */
  queryErrors?: Readonly<Record<string, string>> | undefined;
}

/** The answer for any thrown thing. What isn't AWS's own kind of error becomes a 500 that says nothing. */
export function errorAnswer(error: unknown, context: ErrorContext): RestAnswer {
  const { protocol, requestId, contentType, queryErrors } = context;
  const known =
    named(error, protocol) ?? new AwsError('InternalFailure', 'The embedded cloud failed; see its log.', 500);
  const headers: Record<string, string> = {
    'content-type': protocol === 'json' && contentType ? contentType : contentTypes[protocol],
    'x-amzn-errortype': known.code,
  };
  if (protocol === 'cbor') headers['smithy-protocol'] = 'rpc-v2-cbor';
  if (queryErrors && isRpc(protocol))
    headers['x-amzn-query-error'] =
      `${queryErrors[known.code] ?? known.code};${known.status < 500 ? 'Sender' : 'Receiver'}`;
  return { status: known.status, headers, body: body(known, protocol, requestId) };
}

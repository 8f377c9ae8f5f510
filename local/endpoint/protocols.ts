/** How each of AWS's wire protocols says that something went wrong. */
import { AwsError, type RestAnswer } from '../platform.ts';
import { SignatureError, type SignatureFault } from './signature.ts';

/** `json`: X-Amz-Target; `rest-json`: Batch, SES, Lambda; `s3`: REST XML; `query`: STS. */
export type Protocol = 'json' | 'rest-json' | 's3' | 'query';

export function protocolOf(signingName: string, headers: Record<string, string>): Protocol {
  if (signingName === 's3') return 's3';
  if (headers['x-amz-target']) return 'json';
  return signingName === 'sts' ? 'query' : 'rest-json';
}

type FaultNames = Record<SignatureFault, [code: string, status: number]>;

const modernNames: FaultNames = {
  missing: ['MissingAuthenticationTokenException', 403],
  malformed: ['IncompleteSignatureException', 403],
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
  'unknown-key': ['InvalidClientTokenId', 403],
  'wrong-token': ['InvalidClientTokenId', 403],
  'expired-token': ['ExpiredToken', 403],
  skewed: ['SignatureDoesNotMatch', 403],
  'wrong-region': ['SignatureDoesNotMatch', 403],
};

function named(error: unknown, protocol: Protocol): AwsError | undefined {
  if (error instanceof SignatureError) {
    const names = protocol === 's3' ? s3Names : protocol === 'query' ? queryNames : modernNames;
    const [code, status] = names[error.fault];
    // The JSON protocols answer 400 to whatever the client did wrong.
    return new AwsError(code, error.message, protocol === 'json' ? 400 : status);
  }
  if (!(error instanceof AwsError)) return undefined;
  if (error.code !== 'AccessDeniedException' || protocol === 'json') return error;
  const code = protocol === 'rest-json' ? 'AccessDeniedException' : 'AccessDenied';
  return new AwsError(code, error.message, 403, error.details);
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

function body(error: AwsError, protocol: Protocol, requestId: string): string {
  const { code, message, details } = error;
  if (protocol === 'json') return JSON.stringify({ __type: code, message, ...details });
  if (protocol === 'rest-json') return JSON.stringify({ message, ...details });
  const facts = `<Code>${xml(code)}</Code><Message>${xml(message)}</Message>`;
  const more = Object.entries(details)
    .map(([name, value]) => `<${name}>${xml(String(value))}</${name}>`)
    .join('');
  if (protocol === 's3') {
    return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${facts}${more}<RequestId>${requestId}</RequestId></Error>`;
  }
  const sender = error.status < 500 ? 'Sender' : 'Receiver';
  return `<ErrorResponse><Error><Type>${sender}</Type>${facts}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

const contentTypes: Record<Protocol, string> = {
  json: 'application/x-amz-json-1.1',
  'rest-json': 'application/json',
  s3: 'application/xml',
  query: 'text/xml',
};

/** The answer for any thrown thing. What isn't AWS's own kind of error becomes a 500 that says nothing. */
export function errorAnswer(error: unknown, protocol: Protocol, requestId: string): RestAnswer {
  const known =
    named(error, protocol) ?? new AwsError('InternalFailure', 'The embedded cloud failed; see its log.', 500);
  return {
    status: known.status,
    headers: { 'content-type': contentTypes[protocol], 'x-amzn-errortype': known.code },
    body: body(known, protocol, requestId),
  };
}

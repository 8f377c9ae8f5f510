/** What goes back to the gateway. */
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Answer } from './operation.ts';
import { ProblemError, problemDocument } from './problem.ts';

/** Lambda drops answers above 6 MB, and the caller would see a bare 500. */
const limitBytes = 5_900_000;

/** Throws a 422 problem for a body that Lambda couldn't carry. */
export function renderAnswer({ status, body, etag, headers }: Answer): APIGatewayProxyStructuredResultV2 {
  const binary = body instanceof Uint8Array;
  const raw = typeof body === 'string' && headers?.['content-type'] !== undefined;
  const text =
    body === undefined
      ? undefined
      : binary
        ? Buffer.from(body).toString('base64')
        : raw
          ? (body as string)
          : JSON.stringify(body);
  if (text !== undefined && Buffer.byteLength(text) > limitBytes)
    throw new ProblemError(
      422,
      'answer-too-large',
      'The response would exceed 6 MB. Repeat the request with a smaller `limit`.',
    );
  return {
    statusCode: status,
    headers: {
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...(etag === undefined ? {} : { etag: `"${etag}"` }),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
    ...(binary ? { isBase64Encoded: true } : {}),
  };
}

export function renderProblem(error: ProblemError, requestId: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: error.status,
    headers: { 'content-type': 'application/problem+json', ...error.headers },
    body: JSON.stringify(problemDocument(error, requestId)),
  };
}

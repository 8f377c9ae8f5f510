/** Errors that a caller is told about, as RFC 9457 problem documents. Everything else becomes a 500 that says nothing. */

import type { ProblemCode } from './problem-types.ts';

export interface FieldError {
  /** JSON pointer into the body (`/source/dockerfile`), or `?name`, `{name}` for query and path parameters. */
  pointer: string;
  message: string;
}

export class ProblemError extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly extra: { errors?: FieldError[]; candidates?: string[] };
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    extra: ProblemError['extra'] = {},
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.name = 'ProblemError';
    this.status = status;
    this.code = code;
    this.extra = extra;
    this.headers = headers;
  }
}

const titles: Record<number, string> = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Invalid request',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Unavailable',
};

/** The document of RFC 9457 for `error`; `requestId` is its `instance`. */
export function problemDocument(error: ProblemError, requestId: string) {
  return {
    type: `urn:slipway:problem:${error.code}`,
    title: titles[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    instance: requestId,
    ...error.extra,
  };
}

export const notFound = (what: string) =>
  new ProblemError(404, 'not-found', `There is no ${what} with this id.`);

export const invalid = (...errors: FieldError[]) =>
  new ProblemError(422, 'invalid-request', errors.map((e) => `${e.pointer}: ${e.message}`).join('; '), {
    errors,
  });

export const conflict = (code: ProblemCode, detail: string, candidates?: string[]) =>
  new ProblemError(409, code, detail, candidates ? { candidates } : {});

/** Others were faster at every attempt; nothing was refused. */
export const busy = (detail: string) => new ProblemError(503, 'busy', detail, {}, { 'retry-after': '2' });

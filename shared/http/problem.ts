/** Errors that a caller is told about, as RFC 9457 problem documents. Everything else becomes a 500 that says nothing. */
import { abridged } from '../text/abridged.ts';
import type { FieldError } from './field-errors.ts';

import type { ProblemCode } from './problem-types.ts';

export type { FieldError } from './field-errors.ts';

/** More would tell nobody anything, and an answer has to end somewhere. */
export const mostErrors = 50;
const [mostDetail, mostMessage, mostCandidates] = [2000, 300, 50];

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

/** The document of RFC 9457 for `error`, bounded whatever it tells of; `requestId` is its `instance`. */
export function problemDocument(error: ProblemError, requestId: string) {
  const { errors, candidates } = error.extra;
  return {
    type: `urn:slipway:problem:${error.code}`,
    title: titles[error.status] ?? 'Error',
    status: error.status,
    detail: abridged(error.message, mostDetail),
    instance: requestId,
    errors: errors?.slice(0, mostErrors).map(({ pointer, message }) => ({
      pointer: abridged(pointer, mostMessage),
      message: abridged(message, mostMessage),
    })),
    candidates: candidates?.slice(0, mostCandidates).map((one) => abridged(one, mostMessage)),
  };
}

export const notFound = (what: string) =>
  new ProblemError(404, 'not-found', `There is no ${what} with this id.`);

export const invalid = (...errors: FieldError[]) =>
  new ProblemError(422, 'invalid-request', summaryOf(errors), { errors });

/** The first errors in one line, and how many there are beside them. */
function summaryOf(errors: FieldError[]): string {
  let text = '';
  for (const [i, { pointer, message }] of errors.entries()) {
    const next = `${i > 0 ? '; ' : ''}${abridged(pointer === '' ? message : `${pointer}: ${message}`, mostMessage)}`;
    if (text.length + next.length > mostDetail - 50) return `${text}; and ${errors.length - i} more`;
    text += next;
  }
  return text;
}

export const conflict = (code: ProblemCode, detail: string, candidates?: string[]) =>
  new ProblemError(409, code, detail, candidates ? { candidates } : {});

/** Others were faster at every attempt; nothing was refused. */
export const busy = (detail: string) => new ProblemError(503, 'busy', detail, {}, { 'retry-after': '2' });

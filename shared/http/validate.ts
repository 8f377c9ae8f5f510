/** Checks path, query and body of an event against an operation's schemas; every wrong field is listed with its pointer. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import { type Noun, unknownNames, wordingOf } from '../text/wording.ts';
import { type FieldError, fieldErrors, type Name, pointerTo, withoutSafeBounds } from './field-errors.ts';
import { faultsOf, notUtf8, parseJson } from './json.ts';
import type { Operation, RawBody } from './operation.ts';
import { invalid, mostErrors, ProblemError } from './problem.ts';
import { parseQuery } from './query.ts';

export interface Parsed {
  params: unknown;
  query: unknown;
  body: unknown;
  /** The body's text as received; empty where it isn't JSON. */
  text: string;
}

/** Throws 400 for what isn't JSON, 415 for another media type, 422 with the field errors otherwise. */
export function parseRequest(operation: Operation, event: APIGatewayProxyEventV2): Parsed {
  const sent = parseQuery(event.rawQueryString);
  const errors: FieldError[] = [...sent.errors];
  const check = (schema: z.ZodType | undefined, value: unknown, noun: Noun, name: Name) => {
    if (!schema) return value;
    const result = schema.safeParse(value, { error: wordingOf(noun) });
    if (result.success) return result.data;
    for (const issue of withoutSafeBounds(result.error.issues))
      for (const error of fieldErrors(issue, name)) {
        if (errors.length >= mostErrors) return undefined;
        errors.push(error);
      }
    return undefined;
  };
  const params = check(
    operation.params,
    event.pathParameters ?? {},
    'parameter',
    (path) => `{${path.join('.')}}`,
  );
  const query = check(operation.query, sent.query, 'parameter', (path) => `?${path.join('.')}`);
  if (!operation.query)
    for (const name of Object.keys(sent.query))
      errors.push({ pointer: `?${name}`, message: unknownNames([name], [], 'parameter') });
  const { bodyTypes } = operation;
  if (event.body) requireReadable(event, bodyTypes);
  const text = bodyTypes ? '' : textOf(event);
  const isMissing = operation.body && !operation.bodyIsOptional && !event.body;
  if (isMissing) errors.push({ pointer: '', message: 'is required' });
  const json = bodyTypes ? undefined : text === '' ? {} : parseJson(text);
  if (json !== undefined) errors.push(...faultsOf(json).slice(0, mostErrors));
  const body =
    isMissing || !operation.body
      ? undefined
      : check(operation.body, bodyTypes ? rawBody(event) : json, 'field', pointerTo);
  // Many clients send an empty object with every POST.
  if (!operation.body && text !== '' && !isEmptyObject(json))
    errors.push({ pointer: '', message: 'must be omitted' });
  if (errors.length > 0) throw invalid(...errors.map(withSubject));
  return { params, query, body, text };
}

/** The pointer to the whole body is empty, so the message names it. */
const withSubject = ({ pointer, message }: FieldError): FieldError => ({
  pointer,
  message: pointer === '' ? `The body ${message}.` : message,
});

function textOf(event: APIGatewayProxyEventV2): string {
  if (event.body === undefined) return '';
  if (!event.isBase64Encoded) return event.body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(event.body, 'base64'));
  } catch {
    throw notUtf8();
  }
}

/** Throws 415 for a body that the operation can't read, whatever is in it. */
function requireReadable(event: APIGatewayProxyEventV2, bodyTypes: readonly string[] | undefined): void {
  const coding = event.headers['content-encoding']?.trim().toLowerCase();
  if (coding && coding !== 'identity')
    throw new ProblemError(415, 'media-type', `Omit Content-Encoding: Slipway takes no ${coding} bodies.`);
  const type = mediaType(event);
  if (bodyTypes && !(type !== undefined && bodyTypes.includes(type)))
    throw new ProblemError(415, 'media-type', `The Content-Type header must be ${bodyTypes.join(' or ')}.`);
  // A missing type is taken for JSON, and so is what curl sends by itself: its users forget it more often than they mean
  // anything by it.
  if (!bodyTypes && type && !/^application\/(?:json|x-www-form-urlencoded)$|\+json$/.test(type))
    throw new ProblemError(
      415,
      'media-type',
      `The Content-Type header must be application/json, not ${type}.`,
    );
}

/** The gateway decides by the media type whether it sends text or base64. */
const rawBody = (event: APIGatewayProxyEventV2): RawBody => ({
  type: mediaType(event) ?? '',
  bytes: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
});

const mediaType = ({ headers }: APIGatewayProxyEventV2) =>
  headers['content-type']?.split(';')[0]?.trim().toLowerCase();

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/** Checks path, query and body of an event against an operation's schemas; every wrong field is listed with its pointer. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import { wording } from '../text/wording.ts';
import type { Operation, RawBody } from './operation.ts';
import { type FieldError, invalid, ProblemError } from './problem.ts';

export interface Parsed {
  params: unknown;
  query: unknown;
  body: unknown;
  /** The body's text as received; empty where it isn't JSON. */
  text: string;
}

/** Throws 400 for what isn't JSON, 415 for another media type, 422 with all field errors otherwise. */
export function parseRequest(operation: Operation, event: APIGatewayProxyEventV2): Parsed {
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType | undefined, value: unknown, name: Name) => {
    if (!schema) return value;
    const result = schema.safeParse(value, { error: wording });
    if (result.success) {
      errors.push(...malformed(value, name));
      return result.data;
    }
    for (const issue of result.error.issues) errors.push(...fieldErrors(issue, name));
    return undefined;
  };
  const params = check(operation.params, event.pathParameters ?? {}, (path) => `{${path.join('.')}}`);
  const query = check(operation.query, event.queryStringParameters ?? {}, (path) => `?${path.join('.')}`);
  if (!operation.query)
    for (const name of Object.keys(event.queryStringParameters ?? {}))
      errors.push({ pointer: `?${name}`, message: 'unknown parameter' });
  const { bodyTypes } = operation;
  const text = bodyTypes ? '' : textOf(event);
  const before = errors.length;
  const body = bodyTypes
    ? rawBody(event, bodyTypes)
    : operation.body
      ? check(operation.body, json(text, event), pointer)
      : undefined;
  if (operation.body && text === '' && errors.length > before)
    errors.splice(before, errors.length, { pointer: '', message: 'the request has no body' });
  // Many clients send an empty object with every POST.
  if (!operation.body && text !== '' && !isEmptyObject(json(text, event)))
    errors.push({ pointer: '', message: 'this operation takes no body' });
  if (errors.length > 0) throw invalid(...errors);
  return { params, query, body, text };
}

function textOf(event: APIGatewayProxyEventV2): string {
  if (event.body === undefined) return '';
  if (!event.isBase64Encoded) return event.body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(event.body, 'base64'));
  } catch {
    throw new ProblemError(400, 'malformed-json', 'The body is not UTF-8 text.');
  }
}

/** The gateway decides by the media type whether it sends text or base64. */
function rawBody(event: APIGatewayProxyEventV2, types: readonly string[]): RawBody {
  const type = mediaType(event);
  if (type === undefined || !types.includes(type))
    throw new ProblemError(415, 'media-type', `The content-type is to be ${types.join(' or ')}.`);
  return { type, bytes: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') };
}

const mediaType = ({ headers }: APIGatewayProxyEventV2) =>
  headers['content-type']?.split(';')[0]?.trim().toLowerCase();

function json(text: string, event: APIGatewayProxyEventV2): unknown {
  if (text === '') return {};
  const type = mediaType(event);
  // A missing type is taken for JSON: curl users forget it more often than they mean anything by it.
  if (
    type &&
    type !== 'application/json' &&
    !/\+json$/.test(type) &&
    type !== 'application/x-www-form-urlencoded'
  )
    throw new ProblemError(415, 'media-type', `Bodies are application/json, not ${type}.`);
  try {
    // Editors on Windows begin files with a mark of their order of bytes.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    // Some of these messages quote the body, which may have a password in it.
    const [why] = (error as Error).message.split(/, (?:"|\.\.\.)/);
    throw new ProblemError(400, 'malformed-json', `The body is not JSON: ${why}`);
  }
}

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

type Name = (path: PropertyKey[]) => string;

/**
 * Half a surrogate pair is legal JSON but no text: neither the table nor any other service takes it. For values that
 * have passed their schema, which bounds how deep they are.
 */
function malformed(value: unknown, name: Name, path: PropertyKey[] = []): FieldError[] {
  const message = 'holds half of a surrogate pair';
  if (typeof value === 'string') return value.isWellFormed() ? [] : [{ pointer: name(path), message }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    // A key that isn't text can't be named in a pointer either.
    key.isWellFormed() ? malformed(inner, name, [...path, key]) : [{ pointer: name(path), message }],
  );
}

function fieldErrors(issue: z.core.$ZodIssue, name: Name, above: PropertyKey[] = []): FieldError[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ pointer: name([...path, key]), message: issue.message }));
    case 'invalid_union': {
      const closest = closestBranch(issue.errors);
      if (!closest) return [{ pointer: name(path), message: issue.message }];
      return closest.flatMap((inner) => fieldErrors(inner, name, path));
    }
    case 'invalid_key':
      return issue.issues.map((inner) => ({ pointer: name(path), message: `key: ${inner.message}` }));
    default:
      return [{ pointer: name(path), message: issue.message }];
  }
}

/** Of a union's branches, the one whose first fault lies deepest: what the sender most likely meant. */
function closestBranch(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const depth = (issues: z.core.$ZodIssue[]) => Math.min(...issues.map((issue) => issue.path.length));
  return branches
    .filter((issues) => issues.length > 0)
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
}

/** RFC 6901. */
function pointer(path: PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

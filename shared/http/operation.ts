/**
 * An operation of the HTTP API: what validates a request is what documents it. `contract.ts` of each function
 * declares its operations without any dependency, so that the OpenAPI document is generated from the same schemas.
 * Schemas of whole requests and answers are lazy (`z.lazy`): made at import, all of them would cost a cold start 20 ms,
 * and a request needs one or two.
 */
import type * as z from 'zod';
import type { Role } from '../model/common.ts';
import type { Table } from '../store/table.ts';

/** What the OpenAPI document tells of an operation beside what validates its requests. */
export interface Documentation {
  tag: string;
  summary: string;
  description?: string;
  /** A JSON body that it takes; needed where it takes one. */
  example?: unknown;
  /** What it answers when all is well, by status. */
  responses: Record<
    number,
    {
      description: string;
      schema?: z.ZodType;
      /** Where it isn't JSON: its media types. */
      types?: readonly string[];
      headers?: string[];
    }
  >;
}

/** A body that isn't JSON, as it was sent. */
export interface RawBody {
  /** One of the operation's `bodyTypes`. */
  type: string;
  bytes: Uint8Array;
}

export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType | undefined = z.ZodType | undefined,
> {
  /** camelCase verb and noun, unique: `listImages`. */
  id: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As in OpenAPI and API Gateway: `/v1/images/{id}`. */
  path: string;
  /** Absent in bundles. */
  documentation?: (() => Documentation) | undefined;
  /** Least role that may call it; `public` stands before the authorizer. */
  role: Role | 'public';
  params?: Params;
  query?: Query;
  body?: Body;
  /** No body then means `{}`. Otherwise a request without one is refused. */
  bodyIsOptional?: true;
  /** Media types of a body that isn't JSON; `body` then is a schema of `RawBody`, and says no more than that. */
  bodyTypes?: readonly string[];
  /** Statuses of problem documents beyond those every operation has (400, 403, 413, 422, 500). */
  problems?: number[];
  /**
   * Which side carries a secret: what is kept for an `Idempotency-Key` must not give it away. A secret body is
   * remembered by a slow hash, a secret answer encrypted.
   */
  secret?: 'body' | 'answer';
}

export function operation<
  Params extends z.ZodType = z.ZodObject<Record<string, never>>,
  Query extends z.ZodType = z.ZodObject<Record<string, never>>,
  Body extends z.ZodType | undefined = undefined,
>(definition: Operation<Params, Query, Body>): Operation<Params, Query, Body> {
  return definition;
}

/** Who calls, as the authorizer found them. */
export interface Caller {
  organisation: string;
  memberId: string;
  email: string;
  /** What they may here: with a token at most what the token may. */
  role: Role;
  /** The Slipway token that they came with; absent for a sign-in. */
  tokenId?: string;
  /** ISO time at which that token ends, if it does. */
  tokenEndsAt?: string;
}

/** What the authorizer tells of a token. Without an organisation it means several, of which the request names one. */
export interface Identity extends Caller {
  /** Of a sign-in that is a member of several organisations: all of them. */
  memberships?: Pick<Caller, 'organisation' | 'memberId' | 'email' | 'role'>[];
}

/** The parts are optional fields, but one that an operation declares is always there. */
type Output<T> = [NonNullable<T>] extends [never]
  ? undefined
  : NonNullable<T> extends z.ZodType
    ? z.output<NonNullable<T>>
    : undefined;

/** A request whose every part has passed its schema. */
export interface ValidRequest<O extends Operation> {
  params: Output<O['params']>;
  query: Output<O['query']>;
  body: Output<O['body']>;
  caller: Caller;
  /** `If-Match` as it was sent, for `requireMatch`. */
  ifMatch?: string;
  requestId: string;
  /** The same, with a table whose first write is refused where the caller may not do it any more. */
  asCaller<D extends { table: Table }>(dependencies: D): D;
  /** The moment of the request, or of its first try when it repeats an idempotency key. */
  now: Date;
  /** Ids for what the request creates: the same ones again when an idempotency key repeats. */
  newId(kind: import('../model/id.ts').IdKind): string;
  /** Milliseconds the function has left; waiting operations stop before. */
  remainingMs(): number;
}

export interface Answer {
  status: number;
  /** Rendered as JSON unless it is a string with a `content-type` in `headers`, or bytes. */
  body?: unknown;
  /** Version of the resource; becomes a quoted `ETag`. */
  etag?: string | number;
  headers?: Record<string, string>;
}

export interface Implementation {
  operation: Operation;
  handle(request: ValidRequest<Operation>): Promise<Answer>;
}

/** Binds an operation to its use case with the types of its schemas. */
export function implement<O extends Operation>(
  declared: O,
  handle: (request: ValidRequest<O>) => Promise<Answer>,
): Implementation {
  return { operation: declared, handle: handle as Implementation['handle'] };
}

/** From an API Gateway event (payload 2.0) to the operation's use case and back. */
import middy from '@middy/core';
import httpRouterHandler, { type Method } from '@middy/http-router';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { roles } from '../model/common.ts';
import { type IdKind, newId } from '../model/id.ts';
import type { Log } from '../observability/log.ts';
import { asCaller, confirmCaller, roleRequired } from '../store/confirm-caller.ts';
import type { Idempotency } from '../store/idempotency.ts';
import type { Table } from '../store/table.ts';
import { renderAnswer, renderProblem } from './answer.ts';
import { matchesStrongly, matchesWeakly } from './entity-tags.ts';
import type { Answer, Caller, Identity, Implementation, Operation, ValidRequest } from './operation.ts';
import { ProblemError } from './problem.ts';
import { parseRequest } from './validate.ts';

type Event = APIGatewayProxyEventV2 & { requestContext: { authorizer?: { lambda?: Partial<Identity> } } };

export interface ServeDependencies {
  now: () => Date;
  /** Where callers are looked up again before they write; needed by functions that serve anything but GET. */
  table?: Table;
  /** Needed by functions that serve a POST; without it `Idempotency-Key` has no effect. */
  idempotency?: Idempotency;
  /** Told of every answer and of every error that isn't a problem; gets no bodies. */
  log: Pick<Log, 'info' | 'error'>;
}

/** The Lambda handler that serves `implementations`. */
export function serve(implementations: Implementation[], dependencies: ServeDependencies) {
  if (!dependencies.table && implementations.some(({ operation }) => operation.method !== 'GET'))
    throw new Error('a function that writes needs the table, to confirm its callers');
  const routes = implementations.map((one) => ({
    method: one.operation.method as Method,
    path: one.operation.path,
    handler: (event: Event, context: Context) => answer(one, event, context, dependencies),
  }));
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  return middy(httpRouterHandler<Event, APIGatewayProxyStructuredResultV2>({ routes })).before(
    ({ event }) => {
      // The gateway has matched the route and decoded its parameters already. Matching the decoded path again would
      // take the `/` of an encoded parameter for one of the route's own.
      if (known.has(event.routeKey))
        event.requestContext.http.path = event.routeKey.slice(event.routeKey.indexOf(' ') + 1);
    },
  );
}

async function answer(
  { operation, handle }: Implementation,
  event: Event,
  context: Context,
  { now, table, idempotency, log }: ServeDependencies,
): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = event.requestContext.requestId;
  const started = performance.now();
  let organisation = event.requestContext.authorizer?.lambda?.organisation;
  const done = (result: APIGatewayProxyStructuredResultV2, fields: Record<string, unknown> = {}) => {
    const durationMs = Math.round((performance.now() - started) * 10) / 10;
    log.info('answered', {
      operation: operation.id,
      path: event.rawPath,
      status: result.statusCode,
      durationMs,
      requestId,
      organisation,
      ...fields,
    });
    return result;
  };
  try {
    const known = callerOf(event, operation);
    organisation = known.organisation;
    const { params, query, body, text } = parseRequest(operation, event);
    const confirmed =
      table && operation.method !== 'GET' ? await confirmCaller(table, known, now()) : undefined;
    const caller: Caller = confirmed ?? known;
    requireRole(operation, caller);
    requireEvaluable(operation, event.headers);
    const request = (time: Date, ids: (kind: IdKind) => string): ValidRequest<Operation> => ({
      params: params as never,
      query: query as never,
      body: body as never,
      caller,
      ifMatch: event.headers['if-match'],
      requestId,
      asCaller: (parts) => (confirmed ? { ...parts, table: asCaller(parts.table, confirmed, now) } : parts),
      now: time,
      newId: ids,
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
    const key = operation.method === 'POST' ? event.headers['idempotency-key'] : undefined;
    if (key === undefined || !idempotency) {
      const time = now();
      const answer = await handle(request(time, (kind) => newId(kind, time.getTime())));
      return done(renderAnswer(unlessKnown(answer, event, operation)));
    }
    const kept = await idempotency.once(
      {
        caller,
        key,
        operation: `${operation.id} ${event.rawPath}?${event.rawQueryString}${asWhom(operation, caller)}`,
        text,
        now: now(),
        ...(operation.secret ? { secret: operation.secret } : {}),
      },
      async (time, ids) => renderAnswer(await handle(request(time, ids))),
    );
    return done(kept.result, { repeated: kept.repeated });
  } catch (error) {
    if (error instanceof ProblemError)
      return done(renderProblem(error, requestId), {
        problem: error.code,
        ...(error.status >= 500 ? { error } : {}),
      });
    log.error('unexpected error', { operation: operation.id, requestId, error });
    const hidden = new ProblemError(
      500,
      'internal',
      'Slipway failed to process this request. Send the request id (`instance`) to your operator, who can find it in the log.',
    );
    return done(renderProblem(hidden, requestId));
  }
}

/** A secret answer is repeated only to the very token that it was given to: another may be weaker. */
const asWhom = ({ secret }: Operation, { tokenId }: Caller): string =>
  secret === 'answer' && tokenId !== undefined ? ` as ${tokenId}` : '';

/** Whom a public operation sees: no authorizer stands before it. */
const nobody: Caller = { organisation: '', memberId: '', email: '', role: 'viewer' };

function callerOf(event: Event, operation: Operation): Caller {
  if (operation.role === 'public') return nobody;
  const {
    organisation = '',
    memberId = '',
    email = '',
    role: has = 'viewer',
    tokenId,
    tokenEndsAt,
  } = chosen(event);
  // The gateway lets nobody through without an organisation; a route wired without its authorizer must fail closed.
  if (!organisation || !memberId)
    throw new ProblemError(403, 'forbidden', 'The request does not identify its caller.');
  requireRole(operation, { role: has });
  return {
    organisation,
    memberId,
    email,
    role: has,
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(tokenEndsAt === undefined ? {} : { tokenEndsAt }),
  };
}

/** The membership that the request names in `Slipway-Organisation`, or the only one that it can mean. */
function chosen(event: Event): Partial<Caller> {
  const { memberships = [], ...identity } = event.requestContext.authorizer?.lambda ?? {};
  const named = event.headers['slipway-organisation'];
  if (named === undefined && memberships.length > 0 && !identity.organisation)
    throw new ProblemError(
      403,
      'organisation-required',
      `You are a member of ${memberships.map(({ organisation }) => organisation).join(' and ')}. Name one of them in the header Slipway-Organisation.`,
    );
  if (named === undefined || named === identity.organisation) return identity;
  const other = memberships.find(({ organisation }) => organisation === named);
  if (!other)
    throw new ProblemError(403, 'forbidden', `This token gives no access to the organisation ${named}.`);
  return other;
}

function requireRole({ role }: Operation, { role: has }: Pick<Caller, 'role'>): void {
  if (role !== 'public' && !(roles.indexOf(has) >= roles.indexOf(role))) throw roleRequired(role, has);
}

/**
 * Refuses a stale `If-Match`; without the header the caller takes what comes. `version` is undefined where there is
 * nothing yet, which `*` does not match.
 */
export function requireMatch(request: { ifMatch?: string | undefined }, version: number | undefined): void {
  if (request.ifMatch === undefined || matchesStrongly(request.ifMatch, version)) return;
  const detail =
    version === undefined
      ? 'The resource does not exist, so no ETag can match.'
      : `The resource has changed. Its ETag is now "${version}".`;
  throw new ProblemError(412, 'stale', detail);
}

/** The precondition that an operation evaluates, by its method. */
const evaluated: Record<Operation['method'], 'If-Match' | 'If-None-Match' | undefined> = {
  GET: 'If-None-Match',
  POST: undefined,
  PUT: 'If-Match',
  PATCH: 'If-Match',
  DELETE: 'If-Match',
};

/** Refuses every other one: its sender believes that it protects something. */
function requireEvaluable({ method }: Operation, headers: Event['headers']): void {
  for (const name of ['If-Match', 'If-None-Match'] as const)
    if (headers[name.toLowerCase()] !== undefined && evaluated[method] !== name)
      throw new ProblemError(
        400,
        'invalid-precondition',
        `Omit ${name}: ${method} requests take ${evaluated[method] ?? 'neither If-Match nor If-None-Match'}.`,
      );
}

/** What a client that has this version already needs no copy of. */
function unlessKnown(answer: Answer, event: Event, { method }: Operation): Answer {
  const known = event.headers['if-none-match'];
  if (method !== 'GET' || answer.etag === undefined || known === undefined) return answer;
  if (!matchesWeakly(known, answer.etag)) return answer;
  const { 'content-type': _, ...headers } = answer.headers ?? {};
  return { status: 304, etag: answer.etag, headers };
}

/** Requests as functions see them (payload format 2.0), and their answers. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { HttpApi } from './declared.ts';
import type { RouteMatch } from './routes.ts';

export interface GatewayRequest {
  method: string;
  /** As received, without the query. */
  path: string;
  rawQuery: string;
  headers: Record<string, string>;
  cookies: string[];
  sourceIp: string;
  requestId: string;
  receivedAt: Date;
}

export interface GatewayAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer | string;
}

/**
 * Lower-case names, several values joined by commas, also of headers that HTTP allows once; cookies travel apart.
 * @param distinct `headersDistinct`: of `headers`, Node keeps only the first of several `Authorization` headers
 */
export function readHeaders(distinct: NodeJS.Dict<string[]>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(distinct))
    if (name !== 'cookie' && values !== undefined) headers[name] = values.join(',');
  return headers;
}

function readQuery(rawQuery: string): Record<string, string> | undefined {
  if (!rawQuery) return undefined;
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    query[name] = Object.hasOwn(query, name) ? `${query[name]},${value}` : value;
  }
  return query;
}

const textTypes = /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/i;

const clfMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2026:19:03:58 +0000`. */
export function clfTime(time: Date): string {
  const [date = '', clock = ''] = time.toISOString().slice(0, 19).split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${clfMonths[Number(month) - 1]}/${year}:${clock} +0000`;
}

/** What authorizers and integrations have in common. */
export function baseEvent(request: GatewayRequest, match: RouteMatch, api: HttpApi, domainName: string) {
  const path = decodeURI(request.path);
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath: path,
    rawQueryString: request.rawQuery,
    ...(request.cookies.length > 0 ? { cookies: request.cookies } : {}),
    headers: request.headers,
    queryStringParameters: readQuery(request.rawQuery),
    pathParameters: Object.keys(match.parameters).length > 0 ? match.parameters : undefined,
    requestContext: {
      accountId: 'anonymous',
      apiId: api.id,
      domainName,
      domainPrefix: api.id,
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: match.route.key,
      stage: api.stage,
      time: clfTime(request.receivedAt),
      timeEpoch: request.receivedAt.getTime(),
    },
  };
}

export type BaseEvent = ReturnType<typeof baseEvent>;

/** The integration's event: the base with the authorizer's context and the body. */
export function integrationEvent(
  base: BaseEvent,
  authorizerContext: object | undefined,
  body: Buffer,
): object {
  const authorizer = authorizerContext && { authorizer: { lambda: authorizerContext } };
  const isText = textTypes.test(base.headers['content-type'] ?? 'text/plain');
  return {
    ...base,
    requestContext: { ...base.requestContext, ...authorizer },
    ...(body.length > 0 ? { body: body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

interface StructuredResult {
  statusCode: number;
  headers?: Record<string, string | number | boolean>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    // Line breaks and the like, which HTTP can't carry.
    return false;
  }
}

/** The function's result as an HTTP answer; undefined when it isn't one that API Gateway takes. */
export function readResult(result: unknown): GatewayAnswer | undefined {
  const isStructured = typeof result === 'object' && result !== null && 'statusCode' in result;
  if (!isStructured) {
    const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode, headers = {}, cookies, body = '', isBase64Encoded } = result as StructuredResult;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599 || typeof body !== 'string') return undefined;
  const sent: Record<string, string | string[]> = { 'content-type': 'text/plain;charset=UTF-8' };
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, String(value))) return undefined;
    sent[name.toLowerCase()] = String(value);
  }
  if (cookies?.length) sent['set-cookie'] = cookies;
  return { status, headers: sent, body: isBase64Encoded ? Buffer.from(body, 'base64') : body };
}

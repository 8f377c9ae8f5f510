/** Events as an HTTP API makes them (payload 2.0), and answers as callers see them. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import document from '../../functions/public/openapi.json' with { type: 'json' };
import type { Caller } from '../../shared/http/operation.ts';
import type { serve } from '../../shared/http/serve.ts';

export interface Call {
  method: string;
  /** As in the contract, `/v1/images/{id}`. */
  route: string;
  params?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** JSON unless it is a string. */
  body?: unknown;
  caller?: Partial<Caller>;
}

export const ada: Caller = {
  organisation: 'acme',
  memberId: 'mem_ada',
  email: 'ada@acme.example',
  role: 'admin',
};

export function eventOf({ method, route, params, query, headers = {}, body, caller = ada }: Call) {
  const path = route.replace(/\{(\w+)\}/g, (_, name) => params?.[name] ?? '');
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return {
    version: '2.0',
    routeKey: `${method} ${route}`,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(query ? { queryStringParameters: query } : {}),
    ...(params ? { pathParameters: params } : {}),
    ...(text === undefined ? {} : { body: text }),
    isBase64Encoded: false,
    requestContext: {
      requestId: 'req-1',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      authorizer: { lambda: caller },
    },
  } as unknown as APIGatewayProxyEventV2;
}

export interface Seen {
  status: number;
  headers: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: bodies differ by operation
  body: any;
}

/** Calls a handler as the gateway does. */
export async function call(handler: ReturnType<typeof serve>, request: Call): Promise<Seen> {
  const context = { getRemainingTimeInMillis: () => 20_000 } as Context;
  const answer = await handler(eventOf(request) as never, context);
  requireDocumented(request, answer);
  return {
    status: Number(answer.statusCode),
    headers: answer.headers ?? {},
    body: answer.body ? JSON.parse(answer.body) : undefined,
  };
}

type Documented = Record<string, Record<string, { responses: Record<string, unknown> }>>;

/** Throws for a problem whose status the API's document doesn't have as a problem of the operation. */
function requireDocumented({ method, route }: Call, answer: APIGatewayProxyStructuredResultV2): void {
  const responses = (document.paths as Documented)[route]?.[method.toLowerCase()]?.responses;
  const { statusCode = 0 } = answer;
  // Some tests serve operations of their own.
  if (!responses || statusCode < 400) return;
  const { $ref = '' } = (responses[statusCode] ?? {}) as { $ref?: string };
  const response = (document.components.responses as Record<string, { content?: object }>)[
    $ref.slice($ref.lastIndexOf('/') + 1)
  ];
  if (!response || !('application/problem+json' in (response.content ?? {})))
    throw new Error(`${method} ${route} answers ${statusCode}, which is not documented: ${answer.body}`);
}

/** Keeps what a handler logs. */
export function memoryLog() {
  const lines: { message: string; fields: Record<string, unknown> }[] = [];
  const add = (message: string, fields: Record<string, unknown>) => void lines.push({ message, fields });
  return { lines, info: add, warn: add, error: add };
}

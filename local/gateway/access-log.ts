/** The stage's access log: its format with `$context` variables filled in. */
import type { Cloud } from '../platform.ts';
import type { HttpApi } from './declared.ts';
import { clfTime, type GatewayAnswer, type GatewayRequest } from './event.ts';

export interface Served {
  request: GatewayRequest;
  routeKey: string;
  answer: GatewayAnswer;
  errorMessage: string;
  integrationLatencyMs?: number;
  /** What the authorizer said about the caller. */
  authorizerContext?: object;
}

/** What API Gateway calls its own refusals. */
const responseTypes: Record<number, string> = {
  401: 'UNAUTHORIZED',
  403: 'ACCESS_DENIED',
  404: 'RESOURCE_NOT_FOUND',
  413: 'REQUEST_TOO_LARGE',
  429: 'THROTTLED',
  431: 'DEFAULT_4XX',
  500: 'INTEGRATION_FAILURE',
  503: 'INTEGRATION_TIMEOUT',
};

function variables(served: Served, now: Date) {
  const { request, routeKey, answer, errorMessage, integrationLatencyMs, authorizerContext = {} } = served;
  const said = Object.entries(authorizerContext).map(
    ([name, value]) => [`authorizer.${name}`, value] as const,
  );
  return new Map<string, string | number>([
    ['requestId', request.requestId],
    ['extendedRequestId', request.requestId],
    ['identity.sourceIp', request.sourceIp],
    ['identity.userAgent', request.headers['user-agent'] ?? '-'],
    ['requestTime', clfTime(request.receivedAt)],
    ['requestTimeEpoch', request.receivedAt.getTime()],
    ['httpMethod', request.method],
    ['path', request.path],
    ['routeKey', routeKey || '-'],
    ['protocol', 'HTTP/1.1'],
    ['status', answer.status],
    ['responseLength', Buffer.byteLength(answer.body)],
    ['responseLatency', now.getTime() - request.receivedAt.getTime()],
    ['integrationLatency', integrationLatencyMs ?? '-'],
    ['integration.latency', integrationLatencyMs ?? '-'],
    ['error.message', errorMessage || '-'],
    ['error.messageString', errorMessage ? JSON.stringify(errorMessage) : '-'],
    ['error.responseType', errorMessage ? (responseTypes[answer.status] ?? 'DEFAULT_5XX') : '-'],
    ['integrationStatus', integrationLatencyMs === undefined ? '-' : 200],
    ['integrationErrorMessage', errorMessage || '-'],
    ['integration.error', errorMessage || '-'],
    ['authorizer.error', '-'],
    ...said,
  ]);
}

/** Returns what to call for every answered request; lines are gathered for a moment. */
export function createAccessLog(api: HttpApi, cloud: Pick<Cloud, 'appendLogs' | 'now'>) {
  const settings = api.accessLog;
  let lines: { timestamp: number; message: string }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (settings && lines.length > 0) cloud.appendLogs(settings.group, `${api.id}-${api.stage}`, lines);
    lines = [];
  };
  const write = (served: Served): void => {
    if (!settings) return;
    const now = cloud.now();
    const known = variables(served, now);
    const message = settings.format.replace(/\$context\.([A-Za-z.]+)/g, (_, name: string) =>
      String(known.get(name) ?? '-'),
    );
    lines.push({ timestamp: now.getTime(), message });
    timer ??= setTimeout(flush, 200);
  };
  return { write, flush };
}

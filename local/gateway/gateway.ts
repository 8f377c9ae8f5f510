/** API Gateway's HTTP API: the declared routes on one loopback port. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { discardRest, readAll } from '../endpoint/body.ts';
import { AwsError, type Cloud, type DeclaredResource, type Service } from '../platform.ts';
import { headerPatience } from '../slow-connections.ts';
import { createAccessLog } from './access-log.ts';
import { Authorizers } from './authorizers.ts';
import { gatewayResourceTypes, type HttpApi, type Route, readHttpApi } from './declared.ts';
import {
  baseEvent,
  type GatewayAnswer,
  type GatewayRequest,
  integrationEvent,
  readHeaders,
  readResult,
} from './event.ts';
import { RouteTable } from './routes.ts';
import { TokenBucket } from './throttle.ts';
import { within } from './within.ts';

const bodyLimitBytes = 10 * 1024 * 1024;
const headerLimitBytes = 10_240;

/** Request line and headers as API Gateway counts them. */
const headerBytes = (incoming: IncomingMessage): number =>
  (incoming.url ?? '').length + incoming.rawHeaders.reduce((sum, part) => sum + part.length, 0);

const says = (status: number, message: string, headers: Record<string, string> = {}): GatewayAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ message }),
});

const serverError = says(500, 'Internal Server Error');
const unavailable = says(503, 'Service Unavailable');
/** This machine is full, which no client can know of AWS: it is told to come again. */
const busy = says(503, 'Service Unavailable', { 'retry-after': '2' });

function readRequest(incoming: IncomingMessage, receivedAt: Date): GatewayRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? '' : url.slice(mark + 1),
    headers: {
      ...readHeaders(incoming.headersDistinct),
      'x-forwarded-for': incoming.socket.remoteAddress ?? '127.0.0.1',
      'x-forwarded-port': String(incoming.socket.localPort ?? ''),
      'x-forwarded-proto': 'http',
    },
    cookies: incoming.headers.cookie?.split('; ') ?? [],
    sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
    requestId: randomBytes(11).toString('base64url'),
    receivedAt,
  };
}

/** What became of one request, for the answer and the access log. */
interface Result {
  answer: GatewayAnswer;
  routeKey: string;
  errorMessage: string;
  integrationLatencyMs?: number;
  authorizerContext?: object;
}

class RunningApi {
  private readonly api: HttpApi;
  private readonly cloud: Cloud;
  private readonly routes: RouteTable;
  private readonly authorizers: Authorizers;
  private readonly bucket: TokenBucket | undefined;
  private readonly routeBuckets: Map<string, TokenBucket>;

  constructor(api: HttpApi, cloud: Cloud) {
    this.api = api;
    this.cloud = cloud;
    this.routes = new RouteTable(api.routes);
    this.authorizers = new Authorizers(cloud);
    this.bucket = api.throttle && new TokenBucket(api.throttle);
    this.routeBuckets = new Map(
      [...api.routeThrottles].map(([key, throttle]) => [key, new TokenBucket(throttle)]),
    );
  }

  async handle(request: GatewayRequest, incoming: IncomingMessage): Promise<Result> {
    const refuse = (answer: GatewayAnswer, routeKey = '', errorMessage = String(answer.body)): Result => ({
      answer,
      routeKey,
      errorMessage,
    });
    if (headerBytes(incoming) > headerLimitBytes) return refuse(says(431, 'Request Header Fields Too Large'));
    const match = isDecodable(request.path) ? this.routes.find(request.method, request.path) : undefined;
    if (!match) return refuse(says(404, 'Not Found'));
    const { route } = match;
    const bucket = this.routeBuckets.get(route.key) ?? this.bucket;
    if (bucket && !bucket.take(performance.now())) {
      return refuse(says(429, 'Too Many Requests', { 'retry-after': '1' }), route.key);
    }
    const domainName = request.headers.host ?? '127.0.0.1';
    const event = baseEvent(request, match, this.api, domainName);
    let context: object | undefined;
    if (route.authorizer) {
      const decision = await this.authorizers.decide(route.authorizer, event, this.api.id);
      if (decision === 'late') return refuse(busy, route.key);
      if (decision === 'unauthorized') return refuse(says(401, 'Unauthorized'), route.key);
      if (decision === 'forbidden') return refuse(says(403, 'Forbidden'), route.key);
      if (decision === 'failed') return refuse(serverError, route.key);
      context = decision.context;
    }
    const body = await readAll(incoming, bodyLimitBytes);
    const result = await this.integrate(route, request, integrationEvent(event, context, body));
    return { ...result, authorizerContext: context };
  }

  private async integrate(route: Route, request: GatewayRequest, event: object): Promise<Result> {
    const { region, accountId } = this.cloud;
    const path = route.segments.length > 0 ? `/${route.segments.join('/')}` : '';
    const sourceArn = `arn:aws:execute-api:${region}:${accountId}:${this.api.id}/$default/${request.method}${path}`;
    const startedAt = performance.now();
    const invoker = { service: 'apigateway.amazonaws.com', sourceArn };
    const outcome = await within(route.timeoutMs, (onStart) =>
      this.cloud.invokeFunction(route.functionArn, event, invoker, onStart),
    );
    const integrationLatencyMs = Math.round(performance.now() - startedAt);
    const done = (answer: GatewayAnswer, errorMessage = ''): Result => ({
      answer,
      routeKey: route.key,
      errorMessage,
      integrationLatencyMs,
    });
    if (outcome === 'late') return done(unavailable, 'the function did not answer in time');
    if (outcome.functionError) return done(serverError, JSON.stringify(outcome.payload).slice(0, 1000));
    const answer = readResult(outcome.payload);
    return answer ? done(answer) : done(serverError, 'the function returned no valid response');
  }
}

function isDecodable(path: string): boolean {
  try {
    return decodeURI(path).length > 0;
  } catch {
    // Malformed percent-encoding fits no route.
    return false;
  }
}

/** The gateway's own answers to what went wrong on the way to a function. */
function errorResult(error: unknown, cloud: Cloud): Result {
  const code = error instanceof AwsError ? error.code : '';
  const errorMessage = error instanceof Error ? error.message : String(error);
  const result = (answer: GatewayAnswer): Result => ({ answer, routeKey: '', errorMessage });
  if (code === 'RequestEntityTooLarge' || code === 'RequestTooLargeException') {
    return result(says(413, 'Request Entity Too Large'));
  }
  if (code === 'TooManyRequestsException') return result(busy);
  if (code === 'ServiceException') return result(unavailable);
  cloud.log('gateway', errorMessage);
  return result(serverError);
}

function send(response: ServerResponse, { status, headers, body }: GatewayAnswer, requestId: string): void {
  response.writeHead(status, {
    ...headers,
    // Answers without content by their status have no length either.
    ...(status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
    'apigw-requestid': requestId,
  });
  response.end(body);
}

/** A server for the gateway; it takes more headers than API Gateway, so that the refusal can be API Gateway's. */
export const createGatewayServer = (): Server =>
  createServer({
    ...headerPatience,
    maxHeaderSize: 64 * 1024,
    noDelay: true,
    keepAliveTimeout: 65_000,
    // 10 MB at 700 kbit/s.
    requestTimeout: 120_000,
  });

/** @param apiUrl where `server` listens; it answers once the API is deployed */
export function createGateway(cloud: Cloud, apiUrl: string, server: Server): Service {
  let running: RunningApi | undefined;
  let log: ReturnType<typeof createAccessLog> | undefined;

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = readRequest(incoming, cloud.now());
    const work =
      running?.handle(request, incoming) ??
      Promise.resolve(errorResult(new Error('the templates declare no API'), cloud));
    const result = await work.catch((error: unknown) => {
      // Nobody waits for an answer when the client has gone, and it is no fault of the API's.
      if (response.destroyed) return undefined;
      return errorResult(error, cloud);
    });
    if (!result) return;
    send(response, result.answer, request.requestId);
    if (!incoming.complete) discardRest(incoming);
    log?.write({ request, ...result });
  }

  return {
    signingName: 'apigateway',
    resourceTypes: gatewayResourceTypes(apiUrl),
    async deploy(resources: DeclaredResource[]) {
      const api = readHttpApi(resources);
      running = api && new RunningApi(api, cloud);
      log = api && createAccessLog(api, cloud);
    },
    async start() {
      server.on('request', (incoming, response) => {
        respond(incoming, response).catch((error: Error) => {
          cloud.log('gateway', error.stack ?? error.message);
          response.destroy();
        });
      });
    },
    async stop() {
      log?.flush();
    },
  };
}

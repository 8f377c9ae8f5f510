/** One HTTP server for all of AWS's services: checks who signed, finds the service, renders its answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Key } from '../iam/credentials.ts';
import {
  AwsError,
  type Caller,
  type Cloud,
  type Principal,
  type RestAnswer,
  type Service,
} from '../platform.ts';
import { databaseFile } from '../state.ts';
import { describeError } from '../storage-errors.ts';
import { detached, discardRest, readAll } from './body.ts';
import { restOperation } from './call-counts.ts';
import { type SignedRequest, sha256Hex } from './canonical.ts';
import { errorAnswer, type Protocol, protocolOf } from './protocols.ts';
import { checkSignature, readSignature, type Signature, SignatureError } from './signature.ts';

export interface EndpointParts {
  cloud: Pick<Cloud, 'home' | 'region' | 'now' | 'log' | 'authorize'>;
  services: readonly Service[];
  findKey(accessKeyId: string): Key | undefined;
  /** Told of every call, before it is answered or refused. */
  onCall?(service: string, operation: string): void;
  /** Paths outside AWS's services (`/_credentials/…`, an OIDC issuer's); undefined when it isn't one. */
  serveOpen(request: SignedRequest): RestAnswer | undefined;
}

/** Services that take unsigned calls, by what comes before the dot in X-Amz-Target. */
const unsignedTargets: Record<string, string> = { AWSCognitoIdentityProviderService: 'cognito-idp' };

/** The most that any JSON API takes (DynamoDB: 16 MiB). */
const jsonLimitBytes = 16 * 1024 * 1024;

const anonymous: Principal = { arn: '', kind: 'anonymous', sessionName: '' };

function readRequest(incoming: IncomingMessage): SignedRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : (value ?? '');
  }
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
  };
}

function send(response: ServerResponse, answer: RestAnswer, requestId: string): void {
  const headers = { 'x-amzn-requestid': requestId, 'x-amz-request-id': requestId, ...answer.headers };
  if (answer.body instanceof Readable) {
    response.writeHead(answer.status, headers);
    answer.body.on('error', () => response.destroy());
    response.on('close', () => (answer.body as Readable).destroy());
    answer.body.pipe(response);
    return;
  }
  const body = answer.body ?? '';
  const hasLength = Object.keys(headers).some((name) => name.toLowerCase() === 'content-length');
  const length = hasLength || answer.status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(answer.status, { ...headers, ...length });
  response.end(body);
}

class Exchange {
  protocol: Protocol = 'rest-json';
  private readonly parts: EndpointParts;
  private readonly request: SignedRequest;
  private readonly incoming: IncomingMessage;
  private readonly requestId: string;

  constructor(parts: EndpointParts, request: SignedRequest, incoming: IncomingMessage, requestId: string) {
    this.parts = parts;
    this.request = request;
    this.incoming = incoming;
    this.requestId = requestId;
    this.protocol = protocolOf('', request.headers);
  }

  async answer(): Promise<RestAnswer> {
    const open = this.parts.serveOpen(this.request);
    if (open) return open;
    const signature = readSignature(this.request);
    const [prefix = '', operation = ''] = (this.request.headers['x-amz-target'] ?? '').split('.');
    const signingName = signature?.scope.service ?? unsignedTargets[prefix] ?? '';
    this.protocol = protocolOf(signingName, this.request.headers);
    const { method, path } = this.request;
    this.parts.onCall?.(signingName, operation || restOperation(signingName, method, path));
    const service = this.parts.services.find((one) => one.signingName === signingName);
    if (!signature && !service?.unsignedOperations?.includes(operation)) {
      throw new SignatureError('missing', 'Missing Authentication Token');
    }
    if (this.protocol === 's3' && signature) return this.serveStreamed(service, signature);
    const body = await readAll(this.incoming, jsonLimitBytes);
    const key = signature && this.check(signature, sha256Hex(body));
    const caller = this.callerFor(key?.principal ?? anonymous);
    if (this.protocol !== 'json') return this.serveRest(service, signingName, caller, Readable.from([body]));
    return this.serveJson(service, signingName, operation, caller, body);
  }

  private check(signature: Signature, payloadHash: string): Key {
    return checkSignature(signature, this.request, payloadHash, {
      region: this.parts.cloud.region,
      now: this.parts.cloud.now().getTime(),
      findKey: this.parts.findKey,
    });
  }

  private callerFor(principal: Principal): Caller {
    const { cloud } = this.parts;
    return {
      principal,
      requestId: this.requestId,
      authorize: (action, resource, context) => cloud.authorize(principal, action, resource, context),
    };
  }

  /** S3 says in a header what the signature covers, so that bodies needn't be held in memory. */
  private serveStreamed(service: Service | undefined, signature: Signature): Promise<RestAnswer> {
    const stated =
      this.request.headers['x-amz-content-sha256'] ?? this.request.query.get('X-Amz-Content-Sha256');
    const payloadHash = stated ?? (signature.expiresSeconds === undefined ? '' : 'UNSIGNED-PAYLOAD');
    if (!payloadHash)
      throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
    const key = this.check(signature, payloadHash);
    const isDigest = /^[0-9a-f]{64}$/.test(payloadHash);
    const body = detached(this.incoming, isDigest ? payloadHash : undefined);
    return this.serveRest(service, 's3', this.callerFor(key.principal), body);
  }

  private async serveRest(
    service: Service | undefined,
    signingName: string,
    caller: Caller,
    body: Readable,
  ): Promise<RestAnswer> {
    const { method, path, query, headers } = this.request;
    if (!service?.serve) throw this.unsupported(`${signingName} ${method} ${path}`);
    const readBody = (limitBytes: number) => readAll(body, limitBytes);
    return service.serve({ ...caller, method, path, query, headers, body, readBody });
  }

  private async serveJson(
    service: Service | undefined,
    signingName: string,
    operation: string,
    caller: Caller,
    rawBody: Buffer,
  ): Promise<RestAnswer> {
    let input: unknown;
    try {
      input = rawBody.length === 0 ? {} : JSON.parse(rawBody.toString('utf8'));
    } catch (error) {
      throw new AwsError('SerializationException', `the body is not JSON: ${(error as Error).message}`);
    }
    const call = { ...caller, operation, input, rawBody };
    if (service?.serveJson) return service.serveJson(call);
    const operations = service?.operations;
    const handler = operations && Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (!handler) throw this.unsupported(`${signingName}:${operation}`);
    const output = await handler(call);
    const contentType = this.request.headers['content-type'] ?? 'application/x-amz-json-1.1';
    return { status: 200, headers: { 'content-type': contentType }, body: JSON.stringify(output) };
  }

  private unsupported(what: string): AwsError {
    return new AwsError('UnsupportedOperation', `The embedded cloud does not implement ${what}.`, 400);
  }
}

/** A server for `serveEndpoint`. Frozen functions keep their connections; closing these would break their next call. */
export function createEndpointServer(): Server {
  return createServer({
    noDelay: true,
    requestTimeout: 0,
    keepAliveTimeout: 600_000,
    headersTimeout: 610_000,
  });
}

/** Answers the server's requests from now on. */
export function serveEndpoint(server: Server, parts: EndpointParts): void {
  const explain = (error: unknown, { method, path }: SignedRequest) => {
    if (error instanceof AwsError || error instanceof SignatureError) return;
    parts.cloud.log('endpoint', `${method} ${path}: ${describeError(error, databaseFile(parts.cloud.home))}`);
  };
  const respond = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const request = readRequest(incoming);
    const exchange = new Exchange(parts, request, incoming, requestId);
    const answer = await exchange.answer().catch((error: unknown) => {
      // Nobody waits for an answer when the client has gone.
      if (!response.destroyed) explain(error, request);
      return errorAnswer(error, exchange.protocol, requestId);
    });
    send(response, answer, requestId);
    if (!incoming.complete) discardRest(incoming);
  };
  server.on('request', (incoming, response) => {
    respond(incoming, response).catch((error: Error) => {
      parts.cloud.log('endpoint', error.stack ?? error.message);
      response.destroy();
    });
  });
}

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
  type QueryCall,
  type RestAnswer,
  type Service,
} from '../platform.ts';
import { closeWhenSilent, headerPatience } from '../slow-connections.ts';
import { databaseFile } from '../state.ts';
import { describeError } from '../storage-errors.ts';
import { detached, discardRest, readAll } from './body.ts';
import { restOperation } from './call-counts.ts';
import { type SignedRequest, sha256Hex } from './canonical.ts';
import {
  type ErrorContext,
  errorAnswer,
  formOf,
  type Protocol,
  protocolOf,
  queryAnswer,
  queryProtocolOf,
  rpcOperation,
} from './protocols.ts';
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
  protocol: Protocol;
  private readonly parts: EndpointParts;
  private readonly request: SignedRequest;
  private readonly incoming: IncomingMessage;
  readonly requestId = randomUUID();
  private signingName = '';
  private service: Service | undefined;

  constructor(parts: EndpointParts, request: SignedRequest, incoming: IncomingMessage) {
    this.parts = parts;
    this.request = request;
    this.incoming = incoming;
    this.protocol = protocolOf(undefined, request);
  }

  async answer(): Promise<RestAnswer> {
    const open = this.parts.serveOpen(this.request);
    if (open) return open;
    const { method, path, headers } = this.request;
    const signature = readSignature(this.request);
    const [prefix = '', target = ''] = (headers['x-amz-target'] ?? '').split('.');
    const signingName = signature?.scope.service ?? unsignedTargets[prefix];
    this.protocol = protocolOf(signingName, this.request);
    this.signingName = signingName ?? (this.protocol === 's3' ? 's3' : 'unsigned');
    this.service = this.parts.services.find((one) => one.signingName === signingName);
    if (this.protocol === 's3') {
      this.count(signature ? method : 'unsigned');
      if (!signature) throw missing();
      return this.serveStreamed(signature);
    }
    const body = await readAll(this.incoming, jsonLimitBytes);
    const form = formOf(this.protocol, this.request, body);
    this.protocol = queryProtocolOf(this.protocol, form);
    const operation =
      target || rpcOperation(this.request, form) || restOperation(this.signingName, method, path);
    const isOpen = this.service?.unsignedOperations?.includes(operation);
    // What nobody signed may name any operation.
    this.count(signature || isOpen ? operation : 'unsigned');
    if (!signature && !isOpen) throw missing();
    const key = signature && this.check(signature, sha256Hex(body));
    const caller = this.callerFor(key?.principal ?? anonymous);
    if (this.protocol === 'json') return this.serveJson(operation, caller, body);
    if (this.protocol === 'query') return this.serveQuery({ ...caller, operation, form });
    if (this.protocol === 'rest-json') return this.serveRest(caller, Readable.from([body]));
    throw this.unsupported(operation);
  }

  private count(operation: string): void {
    this.parts.onCall?.(this.signingName, operation);
  }

  /** How an error of this exchange is rendered. */
  errorContext(): ErrorContext {
    return {
      protocol: this.protocol,
      requestId: this.requestId,
      contentType: this.request.headers['content-type'],
      queryErrors: this.service?.queryErrors,
    };
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
  private serveStreamed(signature: Signature): Promise<RestAnswer> {
    const stated =
      this.request.headers['x-amz-content-sha256'] ?? this.request.query.get('X-Amz-Content-Sha256');
    const payloadHash = stated ?? (signature.expiresSeconds === undefined ? '' : 'UNSIGNED-PAYLOAD');
    if (!payloadHash)
      throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
    const key = this.check(signature, payloadHash);
    const isDigest = /^[0-9a-f]{64}$/.test(payloadHash);
    const body = detached(this.incoming, isDigest ? payloadHash : undefined);
    return this.serveRest(this.callerFor(key.principal), body);
  }

  private async serveRest(caller: Caller, body: Readable): Promise<RestAnswer> {
    const { method, path, query, headers } = this.request;
    if (!this.service?.serve) throw this.unsupported(`${method} ${path}`);
    const readBody = (limitBytes: number) => readAll(body, limitBytes);
    return this.service.serve({ ...caller, method, path, query, headers, body, readBody });
  }

  private async serveQuery(call: QueryCall): Promise<RestAnswer> {
    const handler = own(this.service?.queryOperations, call.operation);
    if (!handler) throw this.unsupported(call.operation);
    return queryAnswer(call.operation, this.requestId, await handler(call));
  }

  private async serveJson(operation: string, caller: Caller, rawBody: Buffer): Promise<RestAnswer> {
    let input: unknown;
    try {
      input = rawBody.length === 0 ? {} : JSON.parse(rawBody.toString('utf8'));
    } catch (error) {
      throw new AwsError(
        'SerializationException',
        `The request body is not valid JSON: ${(error as Error).message}`,
      );
    }
    const call = { ...caller, operation, input, rawBody };
    if (this.service?.serveJson) return this.service.serveJson(call);
    const handler = own(this.service?.operations, operation);
    if (!handler) throw this.unsupported(operation);
    const output = await handler(call);
    const contentType = this.request.headers['content-type'] ?? 'application/x-amz-json-1.1';
    return { status: 200, headers: { 'content-type': contentType }, body: JSON.stringify(output) };
  }

  private unsupported(operation: string): AwsError {
    const what = `${this.signingName}:${operation}`;
    return new AwsError('UnsupportedOperation', `The embedded cloud does not implement ${what}.`, 400);
  }
}

const missing = () => new SignatureError('missing', 'Missing Authentication Token');

/** The entry of a table, and nothing that all objects have. */
const own = <T>(table: Record<string, T> | undefined, name: string): T | undefined =>
  table && Object.hasOwn(table, name) ? table[name] : undefined;

/** A server for `serveEndpoint`. Frozen functions keep their connections; closing these would break their next call. */
export function createEndpointServer(): Server {
  return closeWhenSilent(
    createServer({ ...headerPatience, noDelay: true, requestTimeout: 0, keepAliveTimeout: 600_000 }),
  );
}

/** Answers the server's requests from now on. */
export function serveEndpoint(server: Server, parts: EndpointParts): void {
  const explain = (error: unknown, { method, path }: SignedRequest) => {
    if (error instanceof AwsError || error instanceof SignatureError) return;
    parts.cloud.log('endpoint', `${method} ${path}: ${describeError(error, databaseFile(parts.cloud.home))}`);
  };
  const respond = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = readRequest(incoming);
    const exchange = new Exchange(parts, request, incoming);
    const answer = await exchange.answer().catch((error: unknown) => {
      // Nobody waits for an answer when the client has gone.
      if (!response.destroyed) explain(error, request);
      return errorAnswer(error, exchange.errorContext());
    });
    send(response, answer, exchange.requestId);
    if (!incoming.complete) discardRest(incoming);
  };
  server.on('request', (incoming, response) => {
    respond(incoming, response).catch((error: Error) => {
      parts.cloud.log('endpoint', error.stack ?? error.message);
      response.destroy();
    });
  });
}

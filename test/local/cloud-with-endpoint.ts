/**
 * A small cloud for tests of single services: it implements `Cloud` for real where it can (database, credentials,
 * policies as plain denials, an HTTP endpoint that the AWS SDK clients talk to) and records the rest.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import {
  type Asset,
  AwsError,
  type Cloud,
  type CloudEvent,
  type InvocationResult,
  type Principal,
  type RestCall,
  type Service,
} from '../../local/platform.ts';

export interface CloudWithEndpoint extends Cloud {
  readonly events: CloudEvent[];
  readonly messages: string[];
  /** `<role or *> <action>` pairs that are refused. */
  readonly denied: Set<string>;
  /** Roles that no service may assume. */
  readonly untrusted: Set<string>;
  readonly secrets: Map<string, string>;
  readonly assets: Map<string, Asset>;
  readonly functions: Map<string, (payload: unknown) => Promise<InvocationResult> | InvocationResult>;
  /** Serves these services at `endpointUrl`. */
  serve(...services: Service[]): void;
  /** Options for an SDK client that signs as this role (default: the account's root). */
  client(roleArn?: string): {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  };
  /** Resolves with the first event, past or future, for which `matches` is true. */
  event(matches: (event: CloudEvent) => boolean, timeoutSeconds?: number): Promise<CloudEvent>;
  /** Lines of a log stream. */
  lines(group: string, stream: string): string[];
  close(): Promise<void>;
}

const root: Principal = { arn: 'arn:aws:iam::000000000000:root', kind: 'root', sessionName: 'root' };

export async function createCloudWithEndpoint(
  home = mkdtempSync(join(tmpdir(), 'slipway-test-')),
): Promise<CloudWithEndpoint> {
  const principals = new Map<string, Principal>([['ROOT', root]]);
  const services = new Map<string, Service>();
  const listeners = new Set<() => void>();
  const server = createServer(
    (request, response) => void answer(request, response, services, cloud, principals),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registryHost = `127.0.0.1:${await freePort()}`;
  const issue = (roleArn: string, sessionName: string) => {
    const accessKeyId = `ASIA${randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase()}`;
    principals.set(accessKeyId, { arn: roleArn, kind: 'role', sessionName });
    return {
      accessKeyId,
      secretAccessKey: 'secret',
      sessionToken: 'token',
      expiration: new Date(Date.now() + 3_600_000),
    };
  };

  const db = new DatabaseSync(join(home, 'cloud.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  // On disk, so that a test can look at what a killed cloud had written.
  db.exec('CREATE TABLE IF NOT EXISTS test_lines (grp TEXT, stream TEXT, timestamp INTEGER, message TEXT)');
  const insertLine = db.prepare('INSERT INTO test_lines VALUES (?, ?, ?, ?)');
  const selectLines = db.prepare(
    'SELECT message FROM test_lines WHERE grp = ? AND stream = ? ORDER BY rowid',
  );
  const cloud: CloudWithEndpoint = {
    accountId: '000000000000',
    region: 'us-east-1',
    home,
    endpointUrl,
    registryHost,
    db,
    events: [],
    messages: [],
    denied: new Set(),
    untrusted: new Set(),
    secrets: new Map(),
    functions: new Map(),
    now: () => new Date(),
    log: (source, message) => void cloud.messages.push(`${source}: ${message}`),
    issueCredentials(roleArn, servicePrincipal, sessionName) {
      if (cloud.untrusted.has(roleArn))
        throw new AwsError('AccessDenied', `${servicePrincipal} is not authorized to assume ${roleArn}`, 403);
      return issue(roleArn, sessionName);
    },
    credentialsUrl: (roleArn, _servicePrincipal, sessionName) =>
      `${endpointUrl}/_credentials/${encodeURIComponent(`${roleArn}|${sessionName}`)}`,
    principalOf: (accessKeyId) => principals.get(accessKeyId),
    authorize(principal, action, resource) {
      if (
        cloud.denied.has(`${principal.arn} ${action}`) ||
        cloud.denied.has(`* ${action}`) ||
        cloud.denied.has(`${action} ${resource}`)
      )
        throw new AwsError(
          'AccessDeniedException',
          `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
          403,
        );
    },
    publish(event) {
      cloud.events.push(structuredClone(event));
      for (const listener of listeners) listener();
    },
    appendLogs(group, stream, lines) {
      for (const { timestamp, message } of lines) insertLine.run(group, stream, timestamp, message);
    },
    async invokeFunction(functionArn, payload) {
      const run = cloud.functions.get(functionArn);
      if (!run) throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn}`, 404);
      return run(payload);
    },
    invokeFunctionAsync: (functionArn, payload) => void cloud.invokeFunction(functionArn, payload),
    readSecret(principal, valueFrom) {
      const [, arn = '', key] =
        /^(arn:aws:secretsmanager:[^:]*:[^:]*:secret:[^:]*)(?::([^:]*):[^:]*:[^:]*)?$/.exec(valueFrom) ?? [];
      cloud.authorize(principal, 'secretsmanager:GetSecretValue', arn);
      const value = cloud.secrets.get(arn);
      if (value === undefined)
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      return key ? String((JSON.parse(value) as Record<string, string>)[key]) : value;
    },
    assets: new Map(),
    guardProcess: () => () => {},
    sendToQueue: (queueArn, body) => void cloud.messages.push(`${queueArn}: ${body}`),
    every(everyMs, _name, task) {
      const timer = setInterval(() => void task(), everyMs);
      return () => clearInterval(timer);
    },
    serve(...added) {
      for (const service of added) services.set(service.signingName, service);
    },
    client: (roleArn) => ({
      endpoint: endpointUrl,
      region: 'us-east-1',
      credentials: roleArn
        ? issue(roleArn, 'test')
        : { accessKeyId: 'ROOT', secretAccessKey: 'secret', sessionToken: 'token' },
    }),
    event(matches, timeoutSeconds = 20) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(
            new Error(
              `No such event within ${timeoutSeconds} s; there were: ${cloud.events.map(({ 'detail-type': type, detail }) => `${type} ${detail.status ?? detail['build-status'] ?? detail['completed-phase']}`).join('; ')}`,
            ),
          );
        }, timeoutSeconds * 1000);
        const look = () => {
          const found = cloud.events.find(matches);
          if (!found) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      });
    },
    lines: (group, stream) => selectLines.all(group, stream).map((row) => String(row.message)),
    async close() {
      for (const service of services.values()) await service.stop?.();
      await closeServer(server);
      cloud.db.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  return cloud;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  services: Map<string, Service>,
  cloud: CloudWithEndpoint,
  principals: Map<string, Principal>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (request.url?.startsWith('/_credentials/')) {
    const [roleArn = '', session = ''] = decodeURIComponent(request.url.slice('/_credentials/'.length)).split(
      '|',
    );
    const issued = cloud.issueCredentials(roleArn, 'test', session);
    response.end(
      JSON.stringify({
        AccessKeyId: issued.accessKeyId,
        SecretAccessKey: issued.secretAccessKey,
        Token: issued.sessionToken,
        Expiration: issued.expiration,
      }),
    );
    return;
  }
  const [, accessKeyId = '', signingName = ''] =
    /Credential=([^/]+)\/[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
  const principal = principals.get(accessKeyId) ?? root;
  const caller = {
    principal,
    requestId: randomUUID(),
    authorize: (action: string, resource: string) => cloud.authorize(principal, action, resource),
  };
  try {
    const service = services.get(signingName);
    const target = request.headers['x-amz-target'];
    if (typeof target === 'string') {
      const operation = target.split('.').at(-1) ?? '';
      const handler = service?.operations?.[operation];
      if (!handler) throw new AwsError('UnsupportedOperation', `${operation} is not supported`);
      const output = await handler({
        ...caller,
        operation,
        input: JSON.parse(body.toString() || '{}'),
        rawBody: body,
      });
      response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(output));
      return;
    }
    if (!service?.serve) throw new AwsError('UnsupportedOperation', `${signingName} is not there`);
    const url = new URL(request.url ?? '/', cloud.endpointUrl);
    const call: RestCall = {
      ...caller,
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers as Record<string, string>,
      body: Readable.from([body]),
      readBody: async () => body,
    };
    const output = await service.serve(call);
    response.writeHead(output.status, output.headers);
    if (output.body instanceof Readable) output.body.pipe(response);
    else response.end(output.body);
  } catch (error) {
    if (!(error instanceof AwsError)) cloud.messages.push(String((error as Error).stack));
    const known = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
    response.writeHead(known.status, { 'content-type': 'application/json', 'x-amzn-errortype': known.code });
    response.end(JSON.stringify({ __type: known.code, message: known.message, ...known.details }));
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

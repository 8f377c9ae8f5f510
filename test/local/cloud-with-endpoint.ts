/**
 * A small cloud for tests of single services: it implements `Cloud` for real where it can (database, credentials,
 * policies as plain denials, the real endpoint for AWS's own SDK clients) and records the rest.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createEndpointServer, serveEndpoint } from '../../local/endpoint/endpoint.ts';
import {
  type Asset,
  AwsError,
  type Cloud,
  type CloudEvent,
  type InvocationResult,
  type Principal,
  type RestAnswer,
  type Service,
} from '../../local/platform.ts';
import { steadyTime } from '../../local/steady-time.ts';
import { freePorts } from '../../scripts/ports.ts';

export interface CloudWithEndpoint extends Cloud {
  readonly events: CloudEvent[];
  readonly messages: string[];
  /** What is refused: `<role or *> <action>`, `<action> <resource>`, `<action> <condition key>=<value>`. */
  readonly denied: Set<string>;
  /** Roles that no service may assume. */
  readonly untrusted: Set<string>;
  readonly secrets: Map<string, string>;
  readonly endedSessions: Set<string>;
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
  const principals = new Map<string, Principal>([['AKIAROOT', root]]);
  const services: Service[] = [];
  const listeners = new Set<() => void>();
  const server = createEndpointServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registryHost = `127.0.0.1:${await freePorts()}`;
  const issue = (roleArn: string, sessionName: string) => {
    const accessKeyId = `ASIA${randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase()}`;
    principals.set(accessKeyId, { arn: roleArn, kind: 'role', sessionName });
    return {
      accessKeyId,
      ...secrets,
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
    endedSessions: new Set(),
    functions: new Map(),
    now: () => new Date(),
    steady: steadyTime,
    log: (source, message) => void cloud.messages.push(`${source}: ${message}`),
    issueCredentials(roleArn, servicePrincipal, sessionName) {
      if (cloud.untrusted.has(roleArn))
        throw new AwsError('AccessDenied', `${servicePrincipal} is not authorized to assume ${roleArn}`, 403);
      return issue(roleArn, sessionName);
    },
    credentialsUrl: (roleArn, _servicePrincipal, sessionName) =>
      `${endpointUrl}/_credentials/${encodeURIComponent(`${roleArn}|${sessionName}`)}`,
    endSession: (sessionName) => void cloud.endedSessions.add(sessionName),
    hasSessionEnded: ({ sessionName }) => cloud.endedSessions.has(sessionName),
    principalOf: (accessKeyId) => principals.get(accessKeyId),
    authorize(principal, action, resource, context = {}) {
      if (
        cloud.denied.has(`${principal.arn} ${action}`) ||
        cloud.denied.has(`* ${action}`) ||
        cloud.denied.has(`${action} ${resource}`) ||
        Object.entries(context).some(([key, value]) => cloud.denied.has(`${action} ${key}=${value}`))
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
    serve: (...added) => void services.push(...added),
    client: (roleArn) => ({
      endpoint: endpointUrl,
      region: 'us-east-1',
      credentials: roleArn ? issue(roleArn, 'test') : { accessKeyId: 'AKIAROOT', ...secrets },
    }),
    event(matches, timeoutSeconds = 60) {
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
      for (const service of services) await service.stop?.();
      await closeServer(server);
      cloud.db.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  serveEndpoint(server, {
    cloud,
    services,
    findKey(accessKeyId) {
      const principal = principals.get(accessKeyId);
      return principal && { ...secrets, accessKeyId, principal, expiresAt: Number.MAX_SAFE_INTEGER };
    },
    serveOpen: ({ path }) => serveCredentials(cloud, path),
  });
  return cloud;
}

/** Of every key. */
const secrets = { secretAccessKey: 'secret', sessionToken: 'token' };

/** What `credentialsUrl` points to. */
function serveCredentials(cloud: Cloud, path: string): RestAnswer | undefined {
  if (!path.startsWith('/_credentials/')) return undefined;
  const [roleArn = '', session = ''] = decodeURIComponent(path.slice('/_credentials/'.length)).split('|');
  const issued = cloud.issueCredentials(roleArn, 'test', session);
  return {
    status: 200,
    body: JSON.stringify({
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secretAccessKey,
      Token: issued.sessionToken,
      Expiration: issued.expiration,
    }),
  };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

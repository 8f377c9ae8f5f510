/** A cloud of one or two services, on a real database in a directory of its own. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type {
  Cloud,
  Invoker,
  JsonCall,
  Principal,
  Service,
  TemporaryCredentials,
} from '../../local/platform.ts';
import { AwsError } from '../../local/platform.ts';

interface Authorization {
  principal: string;
  action: string;
  resource: string;
  context: Record<string, string | string[]>;
}

export interface TestCloud extends Cloud {
  time: number;
  endpointUrl: string;
  /** Runs every clock at this pace instead of its own. */
  clockMs?: number;
  readonly issued: Map<string, TemporaryCredentials>;
  readonly endedSessions: Set<string>;
  readonly authorizations: Authorization[];
  readonly logged: string[];
  /** What `deny` says is refused; everything else is allowed. */
  deny: (asked: Authorization) => boolean;
  readonly invocations: { functionArn: string; payload: unknown; invoker: Invoker | undefined }[];
  readonly queued: { queueArn: string; body: string; attributes: Record<string, string> }[];
  readonly events: unknown[];
  /** Reopens the database on the same files, as a start after `kill -9` does. */
  reopened(): TestCloud;
  remove(): void;
}

export const root: Principal = { arn: 'arn:aws:iam::000000000000:root', kind: 'root', sessionName: 'root' };

export const roleNamed = (name: string): Principal => ({
  arn: `arn:aws:iam::000000000000:role/${name}`,
  kind: 'role',
  sessionName: 'test',
});

export function testCloud(home = mkdtempSync(join(tmpdir(), 'slipway-cloud-'))): TestCloud {
  const db = new DatabaseSync(join(home, 'cloud.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  const principals = new Map<string, Principal>();
  const cloud: TestCloud = {
    accountId: '000000000000',
    region: 'us-east-1',
    home,
    endpointUrl: 'http://127.0.0.1:4781',
    registryHost: '127.0.0.1:4782',
    db,
    time: Date.parse('2026-11-20T10:00:00Z'),
    authorizations: [],
    issued: new Map(),
    endedSessions: new Set(),
    logged: [],
    invocations: [],
    queued: [],
    events: [],
    deny: () => false,
    now: () => new Date(cloud.time),
    steady: () => ({ boot: 'test', ms: cloud.time }),
    log: (source, message) => void cloud.logged.push(`${source}: ${message}`),
    issueCredentials(roleArn, _service, sessionName) {
      const accessKeyId = `ASIA${randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase()}`;
      principals.set(accessKeyId, { arn: roleArn, kind: 'role', sessionName });
      const issued = {
        accessKeyId,
        secretAccessKey: randomUUID(),
        sessionToken: randomUUID(),
        expiration: new Date(Date.now() + 3_600_000),
      };
      cloud.issued.set(accessKeyId, issued);
      return issued;
    },
    credentialsUrl: () => 'http://127.0.0.1:4781/_credentials/test',
    endSession: (sessionName) => void cloud.endedSessions.add(sessionName),
    hasSessionEnded: ({ sessionName }) => cloud.endedSessions.has(sessionName),
    principalOf: (accessKeyId) => principals.get(accessKeyId),
    authorize(principal, action, resource, context = {}) {
      const asked = { principal: principal.arn, action, resource, context };
      cloud.authorizations.push(asked);
      if (cloud.deny(asked))
        throw new AwsError(
          'AccessDeniedException',
          `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`,
        );
    },
    publish: (event) => void cloud.events.push(event),
    appendLogs: () => undefined,
    invokeFunction: async () => ({ payload: null }),
    invokeFunctionAsync: (functionArn, payload, invoker) =>
      void cloud.invocations.push({ functionArn, payload, invoker }),
    readSecret: () => '',
    sendToQueue: (queueArn, body, _sender, attributes = {}) =>
      void cloud.queued.push({ queueArn, body, attributes }),
    assets: new Map(),
    guardProcess: () => () => undefined,
    every(everyMs, _name, task) {
      let stopped = false;
      const turn = async (): Promise<void> => {
        await task();
        if (!stopped) timer = setTimeout(turn, cloud.clockMs ?? everyMs);
      };
      let timer = setTimeout(turn, cloud.clockMs ?? everyMs);
      return () => {
        stopped = true;
        clearTimeout(timer);
      };
    },
    reopened() {
      db.close();
      return testCloud(home);
    },
    remove() {
      db.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  return cloud;
}

/** Calls an operation of a JSON service as `principal`. */
export async function call(
  cloud: TestCloud,
  service: Service,
  operation: string,
  input: unknown,
  principal: Principal = root,
  // biome-ignore lint/suspicious/noExplicitAny: answers differ by operation
): Promise<any> {
  const handler = service.operations?.[operation];
  if (!handler) throw new AwsError('UnsupportedOperation', operation);
  const rawBody = Buffer.from(JSON.stringify(input));
  const request: JsonCall = {
    operation,
    input: JSON.parse(rawBody.toString()),
    rawBody,
    principal,
    requestId: randomUUID(),
    authorize: (action, resource, context) => cloud.authorize(principal, action, resource, context),
  };
  return handler(request);
}

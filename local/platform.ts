/**
 * What the embedded cloud's parts agree on. A service is one AWS service behind AWS's own wire protocol;
 * `Cloud` is what it may use of the others. Nothing here knows Slipway: only templates and AWS.
 */

import type { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import type { SteadyTime } from './steady-time.ts';

/** Who signed a request. `arn` is a role ARN, or the account's root for the operator's own key. Nobody signed: `anonymous`. */
export interface Principal {
  arn: string;
  kind: 'role' | 'root' | 'anonymous';
  sessionName: string;
  /** The session that asked STS for this one: it ends with that one. */
  origin?: string;
}

export interface TemporaryCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}

/** An error as AWS reports it: `code` is the name that SDKs see, `status` the HTTP status. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: Record<string, unknown>;
  constructor(code: string, message: string, status = 400, details: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

/** The caller's side of a request, the same for every protocol. */
export interface Caller {
  principal: Principal;
  requestId: string;
  /** Evaluates the caller's policies. Throws `AccessDeniedException` (the endpoint renders each service's own name of it). */
  authorize(action: string, resource: string, context?: Record<string, string | string[]>): void;
}

/** A request of a JSON protocol (`X-Amz-Target`), already parsed. Inputs are checked by the service. */
export interface JsonCall extends Caller {
  operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: wire input, whose shape each operation checks for itself
  input: any;
  /** The request's body as it was received. */
  rawBody: Buffer;
}

/** A request of the query protocol (STS): a form, in the body or the URL. */
export interface QueryCall extends Caller {
  operation: string;
  form: URLSearchParams;
}

/** A request of a REST protocol (Batch, SES, S3), signature checked, body not read yet. */
export interface RestCall extends Caller {
  method: string;
  /** Path as received, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Readable;
  /** Reads the whole body; throws `RequestEntityTooLarge` (413) above `limitBytes`. */
  readBody(limitBytes: number): Promise<Buffer>;
}

export interface RestAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable;
}

/** A resource of a synthesized template; `properties` are evaluated by the time `deploy` sees it. */
export interface DeclaredResource {
  stack: string;
  logicalId: string;
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation properties
  properties: any;
  /** What `Ref` gives. */
  physicalId: string;
  attributes: Record<string, string>;
}

/** How a CloudFormation type gets its name; pure, so that references resolve before anything is deployed. */
export interface ResourceType {
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation properties
  physicalId(declared: { stack: string; logicalId: string; properties: any }, cloud: Cloud): string;
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation properties
  attributes?(declared: { physicalId: string; properties: any }, cloud: Cloud): Record<string, string>;
}

export interface Service {
  /** The service name in SigV4 credential scopes (`dynamodb`, `s3`, `batch`, `states`, `logs`, `ses` …). */
  readonly signingName: string;
  readonly resourceTypes?: Record<string, ResourceType>;
  /** Brings the declared resources of this service's types to life. Called at every start, so it must be idempotent. */
  deploy?(resources: DeclaredResource[]): Promise<void>;
  /** After every service has deployed: take up journalled work, start timers. */
  start?(): Promise<void>;
  /** Ends timers, servers and child processes. Work in progress stays journalled. */
  stop?(): Promise<void>;
  /** JSON protocol: operation name → handler. Anything else answers `UnsupportedOperation`. */
  operations?: Record<string, (call: JsonCall) => Promise<object> | object>;
  /** JSON protocol, for a service that answers every operation itself (in place of `operations`). */
  serveJson?(call: JsonCall): Promise<RestAnswer>;
  /** Query protocol: operation name → handler, which gives the XML inside the result. */
  queryOperations?: Record<string, (call: QueryCall) => Promise<string> | string>;
  /** Of a service that once spoke the query protocol: the names that its errors had then, where they differ. */
  readonly queryErrors?: Readonly<Record<string, string>>;
  /** Operations that need no signature (Cognito's sign-in): their principal is `anonymous`. */
  readonly unsignedOperations?: readonly string[];
  /** REST protocol. */
  serve?(call: RestCall): Promise<RestAnswer>;
}

export interface CloudEvent {
  source: string;
  'detail-type': string;
  detail: Record<string, unknown>;
  resources?: string[];
  time?: string;
}

export interface InvocationResult {
  payload: unknown;
  /** As in Lambda's `X-Amz-Function-Error`. */
  functionError?: 'Unhandled';
}

/** The AWS service that calls a function on a resource's behalf; the function's own permissions must admit it. */
export interface Invoker {
  /** Such as `events.amazonaws.com`. */
  service: string;
  /** The rule, schedule or API that it calls for. */
  sourceArn: string;
}

/** A file asset of the synthesized application, as `cdk deploy` would upload it. */
export interface Asset {
  /** Absolute path of a folder (`zip`) or a file (`file`). */
  path: string;
  packaging: 'zip' | 'file';
}

/** What a service may use of the rest of the embedded cloud. */
export interface Cloud {
  readonly accountId: string;
  readonly region: string;
  /** State directory (`.slipway` unless `SLIPWAY_HOME` says otherwise); absolute. */
  readonly home: string;
  /** The AWS endpoint, `http://127.0.0.1:<port>`. */
  readonly endpointUrl: string;
  /** Host and port of the container registry behind ECR, `127.0.0.1:<port>`. */
  readonly registryHost: string;
  /** SQLite, WAL: each service keeps its own tables, named after it. Survives `kill -9`. */
  readonly db: DatabaseSync;
  now(): Date;
  /** For durations: time-outs, limits, rates. */
  steady(): SteadyTime;
  /** One line to the operator's terminal and the cloud's own log file. */
  log(source: string, message: string): void;
  /** Credentials of a role; throws unless its trust policy admits `servicePrincipal` (such as `codebuild.amazonaws.com`). */
  issueCredentials(
    roleArn: string,
    servicePrincipal: string,
    sessionName: string,
    durationSeconds?: number,
  ): TemporaryCredentials;
  /** The same behind a loopback URL for `AWS_CONTAINER_CREDENTIALS_FULL_URI`, refreshed at every read. */
  credentialsUrl(roleArn: string, servicePrincipal: string, sessionName: string): string;
  /** The session's credentials, what was made with them, and its URL are refused from now on. */
  endSession(sessionName: string): void;
  hasSessionEnded(principal: Principal): boolean;
  /** Finds who a set of temporary credentials belongs to (for tokens that embed them, such as ECR's). */
  principalOf(accessKeyId: string): Principal | undefined;
  /** Policy evaluation for any principal; throws `AccessDeniedException`. */
  authorize(
    principal: Principal,
    action: string,
    resource: string,
    context?: Record<string, string | string[]>,
  ): void;
  /** Puts an event on the default bus: journalled, delivered at least once. */
  publish(event: CloudEvent): void;
  /** Appends to CloudWatch Logs; creates group and stream where missing. */
  appendLogs(group: string, stream: string, lines: { timestamp: number; message: string }[]): void;
  /**
   * Runs a function (synchronous invocation). With `invoker`, the function's resource policy must admit it. `onStart` is
   * called when the invocation's turn has come: what it waited for this machine counts towards no time-out of AWS's.
   */
  invokeFunction(
    functionArn: string,
    payload: unknown,
    invoker?: Invoker,
    onStart?: () => void,
  ): Promise<InvocationResult>;
  /** Asynchronous invocation: journalled, two retries, then the function's dead-letter destination. */
  invokeFunctionAsync(functionArn: string, payload: unknown, invoker?: Invoker): void;
  /** Reads a secret's value as `principal` (policy-checked); `valueFrom` may carry `:json-key::`. */
  readSecret(principal: Principal, valueFrom: string): string;
  /** Puts a message into a declared queue (dead-letter queues). With `sender`, the queue's policy must admit it. */
  sendToQueue(
    queueArn: string,
    body: string,
    sender?: Invoker,
    /** Message attributes, as strings. */
    attributes?: Record<string, string>,
  ): void;
  /** File assets by `<bucket>/<key>`, where `cdk deploy` would have put them. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Has a child process (with `group`, its whole process group) ended should this process die, even by `kill -9`. Returns release. */
  guardProcess(pid: number, scope?: 'process' | 'group'): () => void;
  /** Starts something durable's clock: runs `task` every `everyMs`, never overlapping itself, errors logged. Returns stop. */
  every(everyMs: number, name: string, task: () => Promise<void> | void): () => void;
}

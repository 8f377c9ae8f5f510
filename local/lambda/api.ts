/** Lambda's REST API, as far as functions that a template declares can be asked about and invoked. */
import { pageOf } from '../paging.ts';
import { AwsError, type Cloud, type RestAnswer, type RestCall } from '../platform.ts';
import { describeFunction, type FunctionConfig } from './declared.ts';
import type { Outcome } from './environment.ts';
import { syncPayloadLimitBytes } from './limits.ts';
import { parseFunctionReference } from './reference.ts';

export interface ApiParts {
  cloud: Pick<Cloud, 'region' | 'accountId'>;
  functions: ReadonlyMap<string, FunctionConfig>;
  run(config: FunctionConfig, event: string): Promise<Outcome>;
  accept(config: FunctionConfig, event: string): void;
}

const listPath = /^\/2015-03-31\/functions\/?$/;
const functionPath = /^\/2015-03-31\/functions\/([^/]+)(?:\/(invocations|configuration))?$/;

const actions: Record<string, string> = {
  'POST invocations': 'InvokeFunction',
  'GET configuration': 'GetFunctionConfiguration',
  'GET ': 'GetFunction',
};

const json = (value: object): RestAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const notFound = (what: string): AwsError =>
  new AwsError('ResourceNotFoundException', `Function not found: ${what}`, 404);

/** The event of an invocation, which has to be JSON whatever the function makes of it. */
async function readEvent(call: RestCall): Promise<string> {
  const bytes = await call.readBody(syncPayloadLimitBytes + 1024);
  if (bytes.length === 0) return '{}';
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
    );
  }
}

const unsupported = (what: string): AwsError =>
  new AwsError('UnsupportedOperation', `The embedded cloud does not implement ${what}.`);

function invocationType({ headers }: RestCall): 'DryRun' | 'Event' | 'RequestResponse' {
  const type = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type === 'DryRun' || type === 'Event' || type === 'RequestResponse') return type;
  throw new AwsError(
    'ValidationException',
    `1 validation error detected: Value '${type}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]`,
  );
}

async function invoke(call: RestCall, config: FunctionConfig, parts: ApiParts): Promise<RestAnswer> {
  const type = invocationType(call);
  if (call.headers['x-amz-log-type'] === 'Tail') throw unsupported('the log type Tail of lambda:Invoke');
  const event = await readEvent(call);
  if (type === 'DryRun') return { status: 204 };
  if (type === 'Event') {
    parts.accept(config, event);
    return { status: 202 };
  }
  const outcome = await parts.run(config, event);
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amz-executed-version': '$LATEST',
      ...(outcome.failed && { 'x-amz-function-error': 'Unhandled' }),
    },
    body: outcome.body,
  };
}

function list(call: RestCall, { functions }: ApiParts): RestAnswer {
  call.authorize('lambda:ListFunctions', '*');
  const limit = Number(call.query.get('MaxItems') || 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new AwsError('InvalidParameterValueException', 'MaxItems must be between 1 and 10000.');
  const page = pageOf([...functions.keys()].sort(), {
    list: 'functions',
    limit: Math.min(limit, 50),
    token: call.query.get('Marker') || undefined,
    invalidToken: () => new AwsError('InvalidParameterValueException', 'Marker is not valid.'),
  });
  return json({
    Functions: page.items.flatMap((name) => describeFunction(functions.get(name) as FunctionConfig)),
    NextMarker: page.nextToken,
  });
}

/** Answers one call. Throws AWS's own refusals, and `UnsupportedOperation` for what isn't here. */
export async function serveLambda(call: RestCall, parts: ApiParts): Promise<RestAnswer> {
  const { method, path } = call;
  if (method === 'GET' && listPath.test(path)) return list(call, parts);
  const [, encodedName = '', part = ''] = functionPath.exec(path) ?? [];
  const action = actions[`${method} ${part}`];
  if (!action || !encodedName) throw unsupported(`lambda:${method} ${path}`);
  const named = decodeURIComponent(encodedName);
  const { name, arn, qualifier } = parseFunctionReference(parts.cloud, named, call.query.get('Qualifier'));
  call.authorize(`lambda:${action}`, arn);
  const config = parts.functions.get(name);
  if (!config || qualifier) throw notFound(arn);
  if (action === 'InvokeFunction') return invoke(call, config, parts);
  const Configuration = describeFunction(config);
  return json(action === 'GetFunction' ? { Configuration, Tags: {} } : Configuration);
}

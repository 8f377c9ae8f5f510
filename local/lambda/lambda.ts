/** AWS Lambda: the declared functions' real bundles in child processes. */
import { randomUUID } from 'node:crypto';
import {
  AwsError,
  type Cloud,
  type DeclaredResource,
  type InvocationResult,
  type Invoker,
  type Service,
} from '../platform.ts';
import { serveLambda } from './api.ts';
import { AsyncInvocations } from './asynchronous.ts';
import { type Capacity, machineCapacity } from './capacity.ts';
import { type FunctionConfig, lambdaResourceTypes, readFunction } from './declared.ts';
import type { Outcome } from './environment.ts';
import { syncPayloadLimitBytes } from './limits.ts';
import { Permissions } from './permissions.ts';
import { Pools } from './pool.ts';
import { parseFunctionReference } from './reference.ts';

export interface Lambda extends Service {
  invoke(
    functionArn: string,
    payload: unknown,
    invoker?: Invoker,
    onStart?: () => void,
  ): Promise<InvocationResult>;
  invokeAsync(functionArn: string, payload: unknown, invoker?: Invoker): void;
}

export interface LambdaOptions {
  /** Waits before the retries of an asynchronous invocation; Lambda's own are one and two minutes. */
  retryDelaysMs?: readonly number[];
  /** How many environments there may be; what this machine bears where it isn't given. */
  capacity?: Capacity;
}

const reapEveryMs = 5000;
const asyncEveryMs = 1000;

export function createLambda(cloud: Cloud, options: LambdaOptions = {}): Lambda {
  const functions = new Map<string, FunctionConfig>();
  const pools = new Pools(cloud, options.capacity ?? machineCapacity());
  const stops: (() => void)[] = [];
  let permissions = new Permissions([]);

  const asynchronous = new AsyncInvocations(cloud, {
    run: (config, event, requestId) => pools.run(config, event, requestId),
    find: (name) => functions.get(name),
    retryDelaysMs: options.retryDelaysMs ?? [60_000, 120_000],
  });

  const find = (nameOrArn: string, invoker?: Invoker): FunctionConfig => {
    const { name, qualifier } = parseFunctionReference(cloud, nameOrArn);
    const config = functions.get(name);
    if (!config || qualifier)
      throw new AwsError('ResourceNotFoundException', `Function not found: ${nameOrArn}`, 404);
    if (invoker) permissions.check(name, invoker);
    return config;
  };

  const runChecked = (config: FunctionConfig, event: string, onStart?: () => void): Promise<Outcome> => {
    const bytes = Buffer.byteLength(event);
    if (bytes > syncPayloadLimitBytes) {
      const message = `Request must be smaller than ${syncPayloadLimitBytes} bytes for the InvokeFunction operation`;
      throw new AwsError('RequestTooLargeException', message, 413);
    }
    return pools.run(config, event, randomUUID(), onStart);
  };

  return {
    signingName: 'lambda',
    resourceTypes: lambdaResourceTypes,
    async deploy(resources: DeclaredResource[]) {
      functions.clear();
      for (const resource of resources.filter(({ type }) => type === 'AWS::Lambda::Function')) {
        const config = readFunction(resource, cloud);
        functions.set(config.name, config);
      }
      permissions = new Permissions(resources);
      asynchronous.configure(resources);
    },
    async start() {
      stops.push(cloud.every(reapEveryMs, 'lambda: idle environments', () => pools.reap()));
      stops.push(cloud.every(asyncEveryMs, 'lambda: asynchronous invocations', () => asynchronous.work()));
    },
    async stop() {
      for (const stop of stops) stop();
      await pools.endAll();
    },
    serve: (call) =>
      serveLambda(call, {
        cloud,
        functions,
        run: runChecked,
        accept: (config, event) => asynchronous.accept(config, event),
      }),
    async invoke(functionArn, payload, invoker, onStart) {
      const outcome = await runChecked(find(functionArn, invoker), JSON.stringify(payload), onStart);
      const result: InvocationResult = { payload: JSON.parse(outcome.body) as unknown };
      return outcome.failed ? { ...result, functionError: 'Unhandled' } : result;
    },
    invokeAsync(functionArn, payload, invoker) {
      asynchronous.accept(find(functionArn, invoker), JSON.stringify(payload));
    },
  };
}

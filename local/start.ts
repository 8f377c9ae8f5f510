/** Starts an embedded cloud inside this process: `main.ts` does, and so do tests, each with its own home and ports. */
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import { answerWhileBooting } from './booting.ts';
import { type CloudCore, createCloud } from './cloud.ts';
import type { DynamoOptions } from './dynamodb/dynamodb.ts';
import type { EcrOptions } from './ecr/ecr.ts';
import { type CallCounts, createCallCounts } from './endpoint/call-counts.ts';
import { createEndpointServer, serveEndpoint } from './endpoint/endpoint.ts';
import type { Engine } from './engine/engine.ts';
import { createGatewayServer } from './gateway/gateway.ts';
import { lockHome } from './home-lock.ts';
import type { LambdaOptions } from './lambda/lambda.ts';
import type { ResourceType, RestAnswer } from './platform.ts';
import { freePort, listen } from './ports.ts';
import { createServices, type Services } from './services.ts';
import { databaseFile, openState } from './state.ts';
import { explainStorage } from './storage-errors.ts';
import { readAssembly } from './template/assembly.ts';
import { evaluateAssembly } from './template/evaluate.ts';
import { inertTypes } from './template/inert.ts';

interface Prepared {
  /** The folder that `cdk synth` wrote. */
  assembly: string;
  /** The container engine that builds and jobs run in. */
  engine?: Engine;
}

export interface StartOptions {
  /** State directory. */
  home: string;
  /** Called once home and ports are ours. */
  prepare(): Promise<Prepared> | Prepared;
  /** The API's port; the AWS endpoint and the registry take the two after it. 0 takes three free ones. */
  port?: number;
  lambda?: LambdaOptions;
  dynamodb?: DynamoOptions;
  ecr?: EcrOptions;
  /** Lines for the operator. */
  print?(line: string): void;
}

export interface RunningCloud {
  apiUrl: string;
  endpointUrl: string;
  registryHost: string;
  region: string;
  accountId: string;
  /** The operator's own, permanent key: the account's root. */
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Ends timers, servers and child processes; what was under way stays journalled. Idempotent. */
  stop(): Promise<void>;
}

const place = { accountId: '000000000000', region: 'us-east-1' };

/** Undoes, last first, whatever was done so far. */
class Undo {
  private readonly steps: (() => Promise<void> | void)[] = [];
  private work: Promise<void> | undefined;

  add(step: () => Promise<void> | void): void {
    this.steps.push(step);
  }

  run(): Promise<void> {
    this.work ??= this.all();
    return this.work;
  }

  private async all(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.steps.reverse()) {
      try {
        await step();
      } catch (error) {
        // One part that doesn't end in order is no reason to leave the others running.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `ending failed: ${failures.join('; ')}`);
  }
}

const closed = (server: Server) => async () => {
  const done = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await done;
};

/**
 * Paths that need no signature: credentials behind an unguessable id, the OIDC issuer's documents, and how often each
 * operation was called.
 */
function serveOpen(
  core: CloudCore,
  services: Services,
  calls: CallCounts,
  path: string,
): RestAnswer | undefined {
  const headers = { 'content-type': 'application/json' };
  if (path === '/_calls') return { status: 200, headers, body: JSON.stringify(calls.read()) };
  if (!path.startsWith('/_credentials/')) return services.serveIssuer(path);
  const found = core.credentials.read(path.slice('/_credentials/'.length));
  return found
    ? { status: 200, headers, body: JSON.stringify(found) }
    : {
        status: 404,
        headers,
        body: JSON.stringify({ code: 'NotFound', message: 'The credentials do not exist.' }),
      };
}

async function deployAll(
  services: Services,
  core: CloudCore,
  assembly: ReturnType<typeof readAssembly>,
): Promise<void> {
  const types: Record<string, ResourceType> = { ...inertTypes };
  for (const service of services.all) Object.assign(types, service.resourceTypes);
  const resources = evaluateAssembly(assembly, (type) => types[type], core.cloud);
  for (const service of services.all) {
    const own = resources.filter(({ type }) => service.resourceTypes?.[type]);
    await service.deploy?.(own);
  }
}

/**
 * Boots every service of the synthesized templates; ready when it resolves.
 * @throws AlreadyRunningError, PortInUseError, StorageError, TemplateError; nothing is left running then
 */
export async function startCloud(options: StartOptions): Promise<RunningCloud> {
  const home = resolve(options.home);
  const undo = new Undo();
  undo.add(lockHome(home));
  try {
    return await boot({ ...options, home }, undo);
  } catch (error) {
    await undo.run().catch((failure: Error) => options.print?.(failure.message));
    throw explainStorage(error, databaseFile(home));
  }
}

async function boot(options: StartOptions, undo: Undo): Promise<RunningCloud> {
  const { home, port = 0 } = options;
  const db = openState(home);
  undo.add(() => db.close());
  const gatewayServer = createGatewayServer();
  const endpointServer = createEndpointServer();
  for (const server of [gatewayServer, endpointServer]) answerWhileBooting(server);
  const apiPort = await listen(gatewayServer, port);
  undo.add(closed(gatewayServer));
  const endpointPort = await listen(endpointServer, port && port + 1);
  undo.add(closed(endpointServer));
  const registryPort = await freePort(port && port + 2);

  const prepared = await options.prepare();
  const assembly = readAssembly(resolve(prepared.assembly), place);
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const endpointUrl = `http://127.0.0.1:${endpointPort}`;
  const registryHost = `127.0.0.1:${registryPort}`;
  const print = options.print ?? (() => undefined);
  const core = createCloud({ ...place, home, endpointUrl, registryHost, assets: assembly.assets, print }, db);
  undo.add(() => core.close());
  const { lambda, dynamodb, ecr } = options;
  const { engine } = prepared;
  if (engine) undo.add(() => engine.close());
  const services = createServices(core.cloud, {
    roles: core.roles,
    credentials: core.credentials,
    apiUrl,
    gatewayServer,
    engine,
    lambda,
    dynamodb,
    ecr,
  });
  core.connect(services.hooks);
  for (const service of services.all) undo.add(() => service.stop?.());
  undo.add(() => core.stopClocks());
  // First of all, nobody new is let in.
  undo.add(closed(gatewayServer));
  const calls = createCallCounts();
  await deployAll(services, core, assembly);
  // What starts now may call any of the others.
  serveEndpoint(endpointServer, {
    cloud: core.cloud,
    onCall: calls.add,
    services: services.all,
    findKey: (accessKeyId) => core.credentials.find(accessKeyId),
    serveOpen: ({ path }) => serveOpen(core, services, calls, path),
  });
  for (const service of services.all) await service.start?.();

  const { accessKeyId, secretAccessKey } = core.credentials.root(place.accountId);
  return {
    ...place,
    apiUrl,
    endpointUrl,
    registryHost,
    credentials: { accessKeyId, secretAccessKey },
    stop: () => undo.run(),
  };
}

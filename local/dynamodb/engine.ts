/** The database behind DynamoDB's API: dynoxide as a child process, or any endpoint that speaks the protocol. */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { AwsError, type Cloud } from '../platform.ts';
import { StorageError } from '../storage-errors.ts';
import { type EngineProcess, startEngineProcess } from './engine-process.ts';

export interface EngineAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface DynamoEngine {
  /** Passes one operation on, its body untouched. */
  call(operation: string, body: Buffer | string): Promise<EngineAnswer>;
  /** The same for our own use: parsed; throws AwsError with the engine's error name. */
  ask(operation: string, input: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

const startLimitMs = 30_000;

interface EngineServer {
  hostname: string;
  port: string;
  agent: Agent;
}

/** DynamoDB's own word for a fault of its own, which clients try again. */
const unanswered = ({ message }: Error): AwsError =>
  new AwsError('InternalServerError', `The DynamoDB engine did not answer: ${message}`, 500);

/** `server` is asked for before every call. */
function connect(server: () => Promise<EngineServer>, stop: () => Promise<void>): DynamoEngine {
  const call = async (operation: string, body: Buffer | string): Promise<EngineAnswer> => {
    const { hostname, port, agent } = await server();
    return new Promise((resolve, reject) => {
      const lost = (error: Error) => reject(unanswered(error));
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'content-length': Buffer.byteLength(body),
        'x-amz-date': '20260101T000000Z',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        // Who may do what was decided before; engines only want a signature's form.
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0',
      };
      const outgoing = request({ hostname, port, agent, method: 'POST', path: '/', headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', lost);
        incoming.on('end', () => {
          const checksum = incoming.headers['x-amz-crc32'];
          resolve({
            status: incoming.statusCode ?? 500,
            headers: {
              'content-type': 'application/x-amz-json-1.0',
              ...(checksum ? { 'x-amz-crc32': String(checksum) } : {}),
            },
            body: Buffer.concat(chunks),
          });
        });
      });
      outgoing.on('error', lost);
      outgoing.end(body);
    });
  };
  const ask = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const { status, body } = await call(operation, JSON.stringify(input));
    const output = JSON.parse(body.toString('utf8') || '{}') as Record<string, unknown>;
    if (status < 300) return output;
    const code = String(output.__type ?? 'InternalFailure').replace(/^.*#/, '');
    throw new AwsError(code, String(output.message ?? output.Message ?? ''), status);
  };
  return { call, ask, stop };
}

async function answers(engine: DynamoEngine, requireRunning: () => void): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    try {
      await engine.ask('ListTables', {});
      return;
    } catch (error) {
      requireRunning();
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Resolves once it answers. Throws `StorageError` where the engine can't work on its file. */
async function startOwn(cloud: Cloud): Promise<EngineProcess> {
  const started = await startEngineProcess(cloud);
  const engine = connect(async () => serverOf(started), started.stop);
  await answers(engine, () => {
    const ended = started.hasEnded();
    if (ended)
      throw new StorageError(
        `The DynamoDB engine can't work on ${join(cloud.home, 'dynamodb.db')} (${ended.lastWords}). Restore the whole directory from a copy, or move it away to start empty.`,
      );
  });
  return started;
}

const serverOf = ({ agent }: EngineProcess): EngineServer => ({ hostname: '127.0.0.1', port: '', agent });

/** Our own engine, which is started again when it ends by itself: the system kills what takes too much memory. */
async function startRestarting(cloud: Cloud): Promise<DynamoEngine> {
  let isStopping = false;
  let running = startOwn(cloud);
  const watch = async (started: EngineProcess): Promise<void> => {
    await started.gone;
    if (isStopping) return;
    const { lastWords = '' } = started.hasEnded() ?? {};
    cloud.log('dynamodb', `The DynamoDB engine has ended (${lastWords}). Starting it again; requests wait.`);
    running = startOwn(cloud);
    // The cloud can do nothing without its tables: where this fails, it ends with the reason.
    await watch(await running);
  };
  void watch(await running);
  return connect(
    async () => serverOf(await running),
    async () => {
      isStopping = true;
      await (await running).stop();
    },
  );
}

/**
 * @param endpoint use this DynamoDB (`SLIPWAY_DYNAMODB_ENDPOINT`, `http://host:port`) in place of our own
 * @throws Error when the engine doesn't come up
 */
export async function startEngine(cloud: Cloud, endpoint?: string): Promise<DynamoEngine> {
  if (!endpoint) return startRestarting(cloud);
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const engine = connect(
    async () => ({ hostname, port, agent }),
    async () => agent.destroy(),
  );
  await answers(engine, () => undefined);
  return {
    ...engine,
    async call(operation, body) {
      try {
        return await engine.call(operation, body);
      } catch (error) {
        cloud.log('dynamodb', `${operation} at ${endpoint}: ${(error as Error).message}`);
        throw error;
      }
    },
  };
}

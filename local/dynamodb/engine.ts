/** The database behind DynamoDB's API: dynoxide as a child process, or any endpoint that speaks the protocol. */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { AwsError, type Cloud } from '../platform.ts';
import { StorageError } from '../storage-errors.ts';
import { startEngineProcess } from './engine-process.ts';

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

function connect(
  { hostname, port, agent }: EngineServer,
  stop: () => Promise<void> = async () => undefined,
): DynamoEngine {
  const call = (operation: string, body: Buffer | string): Promise<EngineAnswer> =>
    new Promise((resolve, reject) => {
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
        incoming.on('error', reject);
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
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const ask = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const { status, body } = await call(operation, JSON.stringify(input));
    const output = JSON.parse(body.toString('utf8') || '{}') as Record<string, unknown>;
    if (status < 300) return output;
    const code = String(output.__type ?? 'InternalFailure').replace(/^.*#/, '');
    throw new AwsError(code, String(output.message ?? output.Message ?? ''), status);
  };
  return {
    call,
    ask,
    async stop() {
      agent.destroy();
      await stop();
    },
  };
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

/**
 * @param endpoint use this DynamoDB (`SLIPWAY_DYNAMODB_ENDPOINT`, `http://host:port`) in place of our own
 * @throws Error when the engine doesn't come up
 */
export async function startEngine(cloud: Cloud, endpoint?: string): Promise<DynamoEngine> {
  if (endpoint) {
    const { hostname, port } = new URL(endpoint);
    const engine = connect({ hostname, port, agent: new Agent({ keepAlive: true, maxSockets: 64 }) });
    await answers(engine, () => undefined);
    return engine;
  }
  const { agent, hasEnded, stop } = await startEngineProcess(cloud);
  const engine = connect({ hostname: '127.0.0.1', port: '', agent }, stop);
  await answers(engine, () => {
    const ended = hasEnded();
    if (ended)
      throw new StorageError(
        `The DynamoDB engine can't work on ${join(cloud.home, 'dynamodb.db')} (${ended.lastWords}). Restore the whole directory from a copy, or move it away to start empty.`,
      );
  });
  return engine;
}

/** The database behind DynamoDB's API: dynoxide as a child process, or any endpoint that speaks the protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsError, type Cloud } from '../platform.ts';
import { freePort } from '../ports.ts';

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

const program = fileURLToPath(new URL('../../node_modules/@dynoxide/linux-x64/dynoxide', import.meta.url));
const startLimitMs = 30_000;

/** @param endpoint `http://host:port` of a running DynamoDB */
function connect(endpoint: string, stop: () => Promise<void>): DynamoEngine {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
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

async function answers(engine: DynamoEngine, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    try {
      await engine.ask('ListTables', {});
      return;
    } catch (error) {
      if (hasEnded()) throw new Error('dynoxide ended while starting');
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/**
 * @param endpoint use this DynamoDB (`SLIPWAY_DYNAMODB_ENDPOINT`) in place of our own
 * @throws Error when the engine doesn't come up
 */
export async function startEngine(cloud: Cloud, endpoint?: string): Promise<DynamoEngine> {
  if (endpoint) {
    const engine = connect(endpoint, async () => undefined);
    await answers(engine, () => false);
    return engine;
  }
  const port = await freePort();
  const database = join(cloud.home, 'dynamodb.db');
  const child = spawn(
    program,
    ['serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', database],
    {
      // Its own session: Ctrl-C in the terminal must not end it before those who still write.
      detached: true,
      stdio: 'ignore',
    },
  );
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      cloud.log(
        'dynamodb',
        `dynoxide: ${error.message} (elsewhere than on Linux x64, set SLIPWAY_DYNAMODB_ENDPOINT)`,
      );
      resolve();
    });
  });
  const release = child.pid === undefined ? () => undefined : cloud.guardProcess(child.pid);
  const engine = connect(`http://127.0.0.1:${port}`, () => end(child, gone, release));
  await answers(engine, () => child.exitCode !== null || child.pid === undefined);
  return engine;
}

async function end(child: ChildProcess, gone: Promise<void>, release: () => void): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await gone;
  clearTimeout(timer);
  release();
}

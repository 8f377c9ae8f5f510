/** Requests to the container engine's HTTP API. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import type { EngineAddress } from './address.ts';

/** The engine's answer to a request that it refuses; `status` 0 where it could not be reached at all. */
export class EngineError extends Error {
  override name = 'EngineError';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

interface EngineRequest {
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

export interface Connection {
  /** The open answer of a request. Throws `EngineError` unless its status is below 400. */
  open(method: string, path: string, request?: EngineRequest): Promise<http.IncomingMessage>;
  /** The answer's body as JSON (undefined when empty). */
  json<T>(method: string, path: string, request?: EngineRequest): Promise<T>;
  close(): void;
}

/** Connects lazily; sockets are kept open between requests. */
export function connect(address: EngineAddress): Connection {
  const { agent, options, protocol } = transport(address);

  const open = (method: string, path: string, request: EngineRequest = {}): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(request.query ?? {}))
        if (value !== undefined) query.set(name, value);
      const outgoing = protocol.request({
        ...options,
        agent,
        method,
        path: query.size > 0 ? `${path}?${query}` : path,
        headers: {
          host: 'engine',
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
          ...request.headers,
        },
        ...(request.signal && { signal: request.signal }),
      });
      outgoing.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          request.signal?.aborted
            ? error
            : new EngineError(`Could not reach the container engine: ${error.message}`, 0),
        ),
      );
      outgoing.once('response', (answer) => {
        if ((answer.statusCode ?? 500) < 400) return resolve(answer);
        readAll(answer).then(
          (text) => reject(new EngineError(messageOf(text, answer.statusCode), answer.statusCode ?? 500)),
          reject,
        );
      });
      outgoing.end(body);
    });

  return {
    open,
    json: async <T>(method: string, path: string, request?: EngineRequest) => {
      const text = await readAll(await open(method, path, request));
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    close: () => agent.destroy(),
  };
}

function transport(address: EngineAddress) {
  if (address.kind === 'unix')
    return {
      protocol: http,
      agent: new http.Agent({ keepAlive: true }),
      options: { socketPath: address.socketPath },
    };
  const options = { host: address.host, port: address.port };
  const folder = address.certificateFolder;
  if (folder === undefined) return { protocol: http, agent: new http.Agent({ keepAlive: true }), options };
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readFileSync(join(folder, file)));
  return { protocol: https, agent: new https.Agent({ keepAlive: true, ca, cert, key }), options };
}

async function readAll(answer: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(answer)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The body as it comes. Throws `EngineError` (0) where the engine breaks it off. */
export async function* chunksOf(answer: http.IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AbortError') throw cause;
    throw new EngineError(
      `The container engine closed the connection before its answer was complete: ${(cause as Error).message}`,
      0,
    );
  }
}

/** Engines answer `{"message": …}`; anything else is passed on as it is. */
function messageOf(text: string, status: number | undefined): string {
  try {
    const parsed = JSON.parse(text) as { message?: string; cause?: string };
    return parsed.message ?? parsed.cause ?? text;
  } catch {
    // Not JSON, so the text itself is the message.
    return text.trim() || `The container engine answered ${status}`;
  }
}

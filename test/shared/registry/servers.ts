/** Real HTTP servers on loopback: one that answers what a test says, and a registry that keeps what it is given. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface TestServer {
  host: string;
  asked: Asked[];
  stop(): Promise<void>;
}

const certificate = (name: string) =>
  readFileSync(join(import.meta.dirname, 'certificate', `${name}.pem`), 'utf8');
/** Of the servers that speak TLS: self-signed, for `localhost` and 127.0.0.1. */
export const certificateAuthority = certificate('certificate');

/** Answers `undefined` to let a request hang. */
export async function startServer(
  answer: (asked: Asked) => Answer | undefined | Promise<Answer | undefined>,
  tls = false,
): Promise<TestServer> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      asked.push(one);
      const said = await answer(one);
      if (!said) return;
      response.writeHead(said.status, said.headers).end(method === 'HEAD' ? undefined : said.body);
    });
  };
  const server: Server = tls
    ? createTlsServer({ key: certificate('key'), cert: certificate('certificate') }, listener)
    : createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}

export const sha256 = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** What a distribution registry does, kept in memory: `manifests` by `<repository>@<reference>`, `blobs` by digest. */
export interface MemoryRegistry extends TestServer {
  manifests: Map<string, { type: string; body: Buffer }>;
  blobs: Map<string, Buffer>;
  put(repository: string, reference: string, type: string, body: string): string;
  putBlob(body: string): string;
}

export async function startMemoryRegistry(
  before?: (asked: Asked) => Answer | undefined,
): Promise<MemoryRegistry> {
  const manifests: MemoryRegistry['manifests'] = new Map();
  const blobs: MemoryRegistry['blobs'] = new Map();
  const uploads = new Map<string, Buffer>();
  let begun = 0;

  function answer(asked: Asked): Answer {
    const url = new URL(asked.url, 'http://x');
    if (url.pathname === '/v2/') return json(200, {});
    const [, repository = '', kind, rest = ''] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests') return manifest(asked, repository, rest);
    if (kind === 'blobs') {
      const blob = blobs.get(rest);
      return blob
        ? { status: 200, headers: { 'content-length': String(blob.length) }, body: blob }
        : json(404, { errors: [{ code: 'BLOB_UNKNOWN' }] });
    }
    return upload(asked, repository, rest, url.searchParams);
  }

  function manifest({ method, body, headers }: Asked, repository: string, reference: string): Answer {
    const name = `${repository}@${reference}`;
    if (method === 'PUT') {
      const kept = { type: String(headers['content-type']), body };
      manifests.set(name, kept).set(`${repository}@${sha256(body)}`, kept);
      return { status: 201, headers: { 'docker-content-digest': sha256(body) } };
    }
    const found = manifests.get(name);
    if (!found) return json(404, { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] });
    if (method === 'DELETE') manifests.delete(name);
    return {
      status: method === 'DELETE' ? 202 : 200,
      headers: { 'content-type': found.type, 'docker-content-digest': sha256(found.body) },
      body: found.body,
    };
  }

  function upload({ method, body }: Asked, repository: string, id: string, query: URLSearchParams): Answer {
    const at = (one: string) => ({ location: `/v2/${repository}/blobs/uploads/${one}?state=1` });
    const digest = query.get('digest') ?? '';
    if (method === 'POST') {
      if (query.has('mount') && blobs.has(query.get('mount') ?? '')) return { status: 201 };
      const next = String(++begun);
      uploads.set(next, Buffer.alloc(0));
      return { status: 202, headers: at(next) };
    }
    const kept = uploads.get(id);
    if (!kept) return json(404, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] });
    if (method === 'PATCH') {
      uploads.set(id, Buffer.concat([kept, body]));
      return { status: 202, headers: at(id) };
    }
    uploads.delete(id);
    if (method === 'DELETE') return { status: 204 };
    const whole = Buffer.concat([kept, body]);
    if (sha256(whole) !== digest)
      return json(400, { errors: [{ code: 'DIGEST_INVALID', message: 'other bytes' }] });
    blobs.set(digest, whole);
    return { status: 201 };
  }

  const server = await startServer((asked) => before?.(asked) ?? answer(asked));
  return {
    ...server,
    manifests,
    blobs,
    put(repository, reference, type, body) {
      const kept = { type, body: Buffer.from(body) };
      manifests.set(`${repository}@${reference}`, kept).set(`${repository}@${sha256(body)}`, kept);
      return sha256(body);
    },
    putBlob(body) {
      blobs.set(sha256(body), Buffer.from(body));
      return sha256(body);
    },
  };
}

/**
 * B6: a registry on this host's loopback, for one build, that has nothing of its own: it passes on base images whose
 * account the engine can't be given, since it knows one account for each host and another one counts for theirs. Only
 * the engine has its password, and it gives out only the repositories that it was started for.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Manifest, type RegistryClient, RegistryError } from '../shared/registry/model.ts';
import { formatReference, InvalidReferenceError, parseLocation } from '../shared/registry/reference.ts';
import type { Credentials } from './aws.ts';

/** A repository, and who may read it. */
export interface Passed {
  repository: string;
  client: RegistryClient;
}

export interface PassThrough {
  /** `127.0.0.1:<port>`, which engines take without TLS. */
  host: string;
  credentials: Credentials;
  /** The name by which the engine gets an image from here; nothing for one that doesn't come this way. */
  nameOf(reference: string): string | undefined;
  /** What the engine says, with the images' own names. */
  withOwnNames(line: string): string;
  stop(): Promise<void>;
}

/** `report` hears why an image wasn't passed on: the engine tells no more than the status. */
export async function startPassThrough(
  all: readonly Passed[],
  report: (message: string) => void,
): Promise<PassThrough> {
  const credentials = { username: 'slipway', password: randomBytes(32).toString('hex') };
  const basic = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const manifests = keptManifests();
  const server = createServer((request, response) => {
    if (request.headers.authorization !== basic) {
      response.setHeader('www-authenticate', 'Basic realm="slipway"');
      return refuse(response, { status: 401, code: 'UNAUTHORIZED' });
    }
    pass(all, manifests, request, response).catch((error: NodeJS.ErrnoException) => {
      // The engine has hung up: it has what it wants, or gives the build up.
      if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      // Of a blob that breaks off the engine hears by the end of the connection.
      if (!response.destroyed) refuse(response, refusalOf(error));
      report(error.message);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // Whatever goes wrong before `stop`, a build that has ended is not kept waiting.
  server.unref();
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    credentials,
    nameOf(reference) {
      const location = locationOf(reference);
      const index = all.findIndex(
        ({ client, repository }) => client.host === location?.host && repository === location.repository,
      );
      if (!location || index < 0) return undefined;
      return formatReference({ ...location, host, repository: `${index}/${location.repository}` });
    },
    withOwnNames: (line) =>
      all.reduce((text, { client }, index) => text.replaceAll(`${host}/${index}/`, `${client.host}/`), line),
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Nothing for what is no name: the engine refuses it, and says why better than we could. */
function locationOf(reference: string) {
  try {
    return parseLocation(reference);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

/** The engine asks for what it wants to know of a manifest before it reads it; registries count both. */
function keptManifests() {
  const kept = new Map<string, Promise<Manifest>>();
  const ask = async ({ client, repository }: Passed, reference: string): Promise<Manifest> => {
    const { digest, mediaType, body } = await client.getManifest(repository, reference);
    return { digest, mediaType, body };
  };
  return (passed: Passed, reference: string) => {
    const name = `${passed.client.host}/${passed.repository}@${reference}`;
    const asked = kept.get(name) ?? ask(passed, reference);
    kept.set(name, asked);
    asked.catch(() => kept.delete(name));
    return asked;
  };
}

async function pass(
  all: readonly Passed[],
  manifestOf: ReturnType<typeof keptManifests>,
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(url, 'http://loopback');
  if (pathname === '/v2/') return void response.end();
  const [, index = '', repository = '', kind, reference = ''] =
    /^\/v2\/(\d+)\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  const passed = all[Number(index)];
  if (passed?.repository !== repository || !['GET', 'HEAD'].includes(method))
    return refuse(response, unknown);
  if (kind === 'manifests') {
    const { digest, mediaType, body } = await manifestOf(passed, reference);
    response.setHeader('content-type', mediaType);
    response.setHeader('docker-content-digest', digest);
    response.setHeader('content-length', body.length);
    return void response.end(method === 'HEAD' ? undefined : body);
  }
  if (method === 'HEAD') {
    const sizeBytes = await passed.client.hasBlob(repository, reference);
    if (sizeBytes === undefined) return refuse(response, unknown);
    response.setHeader('content-length', sizeBytes);
    return void response.end();
  }
  const { stream, sizeBytes } = await passed.client.getBlob(repository, reference);
  // The engine has hung up meanwhile: nobody would end what the registry sends.
  if (response.destroyed) return void stream.destroy();
  response.setHeader('content-type', 'application/octet-stream');
  if (sizeBytes !== undefined) response.setHeader('content-length', sizeBytes);
  await pipeline(stream, response);
}

interface Refusal {
  status: number;
  code: string;
}

const unknown = { status: 404, code: 'NAME_UNKNOWN' };

function refuse(response: ServerResponse, { status, code }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}

/** Never 401, which would be about this registry's own password. */
function refusalOf(error: Error): Refusal {
  if (!(error instanceof RegistryError)) return { status: 502, code: 'UNAVAILABLE' };
  if (error.status === 401 || error.status === 403) return { status: 403, code: 'DENIED' };
  if (error.code === 'not-found') return unknown;
  if (error.code === 'rate-limited') return { status: 429, code: 'TOOMANYREQUESTS' };
  return { status: 502, code: 'UNAVAILABLE' };
}

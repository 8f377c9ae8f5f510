/** One registry's requests: authorized, redirected, refused. What is asked and answered above this lies in `client.ts`. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type Authorization, createAuthorization } from './authorization.ts';
import { parseChallenge } from './challenge.ts';
import { type Credentials, RegistryError } from './model.ts';
import type { Network } from './network.ts';
import { spokePlainHttp } from './network-errors.ts';
import { rateLimited } from './rate-limit.ts';
import { discard, readBody } from './read-body.ts';
import { refusal } from './refusal.ts';

export interface SessionRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the host, or a whole URL that the registry gave. */
  url: string;
  /** `repository:<name>:<actions>`. */
  scopes: string[];
  headers?: Record<string, string>;
  body?: Buffer | Readable;
  /** Whether there is a reason to be silent for longer than usual. */
  patient?: boolean;
  /** Statuses that the caller understands; any other becomes a `RegistryError`. */
  expected: number[];
}

export interface Session {
  /** `https://host` or `http://host`, as this registry is spoken to. */
  origin(): Promise<string>;
  send(request: SessionRequest): Promise<IncomingMessage>;
  /** The same, with the whole body, of at most `limitBytes`. */
  read(
    request: SessionRequest,
    limitBytes: number,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>;
}

export interface SessionOptions {
  host: string;
  /** Plain HTTP. Otherwise TLS, except that a host which the deployment lists as private is asked what it speaks. */
  insecure?: boolean;
  credentials?: Credentials | undefined;
  network: Network;
  now?: () => number;
}

const redirects = [301, 302, 303, 307, 308];
const mostRedirects = 5;
const errorLimitBytes = 64 * 1024;

export function createSession(options: SessionOptions): Session {
  const { host, credentials, network, now = Date.now } = options;
  const mayBePrivate = network.isPrivate(host);
  const authorization = createAuthorization({ host, credentials, network, now });
  let scheme: 'http' | 'https' | undefined = options.insecure ? 'http' : mayBePrivate ? undefined : 'https';
  let origin: string | undefined;

  async function originOf(): Promise<string> {
    scheme ??= await schemeOf(host, network);
    // As URLs spell it: without the protocol's own port.
    origin ??= new URL(`${scheme}://${apiHost(host)}`).origin;
    return origin;
  }

  async function send(request: SessionRequest): Promise<IncomingMessage> {
    const origin = await originOf();
    for (let tries = 1; ; tries++) {
      const authorized = await authorization.header(request.scopes);
      const answer = await once(request, urlFrom(request.url, origin, host), origin, authorized);
      const status = answer.statusCode ?? 0;
      if (request.expected.includes(status)) return answer;
      if (status === 429) {
        answer.destroy();
        throw rateLimited(host, answer.headers, now());
      }
      const challenge = status === 401 ? parseChallenge(answer.headers['www-authenticate']) : undefined;
      const replayable = request.body === undefined || Buffer.isBuffer(request.body);
      if (
        challenge &&
        replayable &&
        tries === 1 &&
        (await learned(answer, challenge, request, authorized !== undefined))
      )
        continue;
      const body = await readBody(answer, host, errorLimitBytes).catch(() => Buffer.alloc(0));
      throw refusal({ host, status, request, body, challenge, hasCredentials: credentials !== undefined });
    }
  }

  async function learned(
    answer: IncomingMessage,
    challenge: Parameters<Authorization['learn']>[0],
    request: SessionRequest,
    wasAuthorized: boolean,
  ): Promise<boolean> {
    discard(answer);
    const scopes = request.scopes.length > 0 ? request.scopes : challenge.scope ? [challenge.scope] : [];
    return await authorization.learn(challenge, scopes, wasAuthorized);
  }

  async function once(
    request: SessionRequest,
    first: URL,
    origin: string,
    authorized: string | undefined,
  ): Promise<IncomingMessage> {
    let url = first;
    for (let hops = 0; ; hops++) {
      // Storage behind a redirect has its own permission in the URL; the registry's would be given away there.
      const header = url.origin === origin ? authorized : undefined;
      const answer = await network.send({
        method: request.method,
        url,
        headers: { ...request.headers, ...(header ? { authorization: header } : {}) },
        body: request.body,
        patient: request.patient,
        mayBePrivate,
      });
      const status = answer.statusCode ?? 0;
      const { location } = answer.headers;
      const follows = ['GET', 'HEAD'].includes(request.method) && redirects.includes(status) && location;
      if (!follows || request.expected.includes(status)) return answer;
      answer.destroy();
      if (hops >= mostRedirects)
        throw new RegistryError('not-a-registry', host, `${host} redirects without an end`, { status });
      url = urlFrom(location, url.href, host);
    }
  }

  return {
    origin: originOf,
    send,
    async read(request, limitBytes) {
      const answer = await send(request);
      const body = await readBody(answer, host, limitBytes);
      return { status: answer.statusCode ?? 0, headers: answer.headers, body };
    },
  };
}

/** What a registry calls a URL may be none, or one of another protocol. */
function urlFrom(text: string, base: string, host: string): URL {
  const url = URL.parse(text, base);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new RegistryError('not-a-registry', host, `${host} leads to what is no URL: ${text.slice(0, 150)}`);
}

/** Where the API of a registry lives: only Docker Hub's name isn't that of its registry. */
export const apiHost = (host: string): string => (host === 'docker.io' ? 'registry-1.docker.io' : host);

/** As container engines do for registries that are allowed to lack TLS: TLS first, plain HTTP where it speaks that. */
async function schemeOf(host: string, network: Network): Promise<'http' | 'https'> {
  try {
    const answer = await network.send({
      method: 'GET',
      url: new URL(`https://${host}/v2/`),
      headers: {},
      mayBePrivate: true,
    });
    answer.destroy();
    return 'https';
  } catch (error) {
    if (spokePlainHttp(error)) return 'http';
    throw error;
  }
}

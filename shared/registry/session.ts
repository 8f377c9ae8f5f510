/** One registry's requests: authorized, redirected, refused. What is asked and answered above this lies in `client.ts`. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type Authorization, createAuthorization } from './authorization.ts';
import { parseChallenge } from './challenge.ts';
import { type Credentials, RegistryError } from './model.ts';
import { hostWithPort, type Network } from './network.ts';
import { spokePlainHttp } from './network-errors.ts';
import { rateLimited } from './rate-limit.ts';
import { discard, readBody } from './read-body.ts';
import { isRedirect, mostRedirects, redirectedTo, requireUrl } from './redirects.ts';
import { refusal, refusalElsewhere } from './refusal.ts';

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

export interface Answered {
  answer: IncomingMessage;
  /** Who answered: the registry, or a host that it redirects to. */
  from: string;
}

export interface Session {
  /** `https://host` or `http://host`, as this registry is spoken to. */
  origin(): Promise<string>;
  send(request: SessionRequest): Promise<Answered>;
  /** The same, with the whole body, of at most `limitBytes`. */
  read(
    request: SessionRequest,
    limitBytes: number,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer; from: string }>;
}

export interface SessionOptions {
  host: string;
  /** Plain HTTP. Otherwise TLS, except that a host which the deployment lists as private is asked what it speaks. */
  insecure?: boolean;
  credentials?: Credentials | undefined;
  network: Network;
  now?: () => number;
}

const errorLimitBytes = 64 * 1024;
/** Hosts whose challenges are answered for one request: the registry's, and that of one it redirects to. */
const mostChallenged = 2;

export function createSession(options: SessionOptions): Session {
  const { host, credentials, network, now = Date.now } = options;
  const mayBePrivate = network.isPrivate(host);
  const authorizations = new Map<string, Authorization>();
  let scheme: 'http' | 'https' | undefined = options.insecure ? 'http' : mayBePrivate ? undefined : 'https';
  let origin: string | undefined;

  async function originOf(): Promise<string> {
    scheme ??= await schemeOf(host, network);
    // As URLs spell it: without the protocol's own port.
    origin ??= new URL(`${scheme}://${apiHost(host)}`).origin;
    return origin;
  }

  /**
   * Of the host behind `url`, and of nobody else: the account is the registry's, and what a host says about tokens counts
   * for that host. One that the registry redirects to is asked as a stranger, who may get a token for what is public.
   */
  function authorizationAt(url: URL, origin: string, { scopes }: SessionRequest): Authorization {
    const isOwn = url.origin === origin;
    const key = isOwn ? origin : `${url.origin} ${scopes.join(' ')}`;
    const kept = authorizations.get(key);
    if (kept) return kept;
    const fresh = createAuthorization({
      host: isOwn ? host : url.host,
      credentials: isOwn ? credentials : undefined,
      network,
      mayBePrivate: isOwn ? mayBePrivate : mayBePrivate && network.isPrivate(hostWithPort(url)),
      secure: url.protocol === 'https:',
      isRegistry: isOwn,
      now,
    });
    authorizations.set(key, fresh);
    return fresh;
  }

  async function send(request: SessionRequest): Promise<Answered> {
    const origin = await originOf();
    const learned = new Set<Authorization>();
    for (;;) {
      const { answer, url, authorization, authorized } = await once(request, origin);
      const isOwn = url.origin === origin;
      const from = isOwn ? host : url.host;
      const status = answer.statusCode ?? 0;
      if (request.expected.includes(status)) return { answer, from };
      if (status === 429) {
        answer.destroy();
        throw rateLimited(from, answer.headers, now());
      }
      const challenge = status === 401 ? parseChallenge(answer.headers['www-authenticate']) : undefined;
      if (
        challenge &&
        isRepeatable(request) &&
        learned.size < mostChallenged &&
        !learned.has(authorization) &&
        authorization.canMeet(challenge, authorized)
      ) {
        // Before the token is asked for, which may need this connection.
        discard(answer);
        learned.add(authorization);
        await authorization.learn(challenge, request.scopes);
        continue;
      }
      const body = await readBody(answer, from, errorLimitBytes).catch(() => Buffer.alloc(0));
      throw isOwn
        ? refusal({ host, status, request, body, challenge, hasCredentials: credentials !== undefined })
        : refusalElsewhere({ host, from, status, request, body });
    }
  }

  async function once(request: SessionRequest, origin: string) {
    let url = requireUrl(request.url, origin, host);
    let isPrivate = mayBePrivate;
    for (let hops = 0; ; hops++) {
      const authorization = authorizationAt(url, origin, request);
      const header = await authorization.header(request.scopes);
      const answer = await network.send({
        method: request.method,
        url,
        headers: { ...request.headers, ...(header ? { authorization: header } : {}) },
        body: request.body,
        patient: request.patient,
        mayBePrivate: isPrivate,
      });
      const follows = isRedirect(answer, request.method) && isRepeatable(request);
      if (!follows || request.expected.includes(answer.statusCode ?? 0))
        return { answer, url, authorization, authorized: header !== undefined };
      answer.destroy();
      if (hops >= mostRedirects)
        throw new RegistryError('not-a-registry', host, `${host} redirects in an endless loop`, {
          status: answer.statusCode ?? 0,
        });
      isPrivate &&= network.isPrivate(hostWithPort(url));
      url = redirectedTo(answer, url);
    }
  }

  return {
    origin: originOf,
    send,
    async read(request, limitBytes) {
      const { answer, from } = await send(request);
      const body = await readBody(answer, from, limitBytes);
      return { status: answer.statusCode ?? 0, headers: answer.headers, body, from };
    },
  };
}

/** A stream that was begun can't be sent again. */
const isRepeatable = ({ body }: SessionRequest) => body === undefined || Buffer.isBuffer(body);

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

/** The `Authorization` of each request: learned from the registry's challenge, tokens kept until shortly before they expire. */
import type { IncomingMessage } from 'node:http';
import type { Challenge } from './challenge.ts';
import { type Credentials, RegistryError } from './model.ts';
import { hostWithPort, type Network } from './network.ts';
import { rateLimited } from './rate-limit.ts';
import { readBody } from './read-body.ts';
import { isRedirect, mostRedirects, redirectedTo } from './redirects.ts';

export interface Authorization {
  /** What to send, as far as is known before asking; undefined for nothing. */
  header(scopes: string[]): Promise<string | undefined>;
  /** Whether another try with what `challenge` asks for makes sense, after one that was `authorized` or not. */
  canMeet(challenge: Challenge, authorized: boolean): boolean;
  /** Learns from the challenge of a 401. Throws `bad-credentials`, `rate-limited` and the like. */
  learn(challenge: Challenge, scopes: string[]): Promise<void>;
}

export interface AuthorizationOptions {
  /** Whose requests these are for: challenges of any other host are not to be learned here. */
  host: string;
  /** Of the account at `host`; they go to `host`, and to the token service that it names. */
  credentials?: Credentials | undefined;
  network: Network;
  /** Whether the token service may lie in the private network. */
  mayBePrivate: boolean;
  /** Whether `host` is spoken to with TLS, without which its password goes nowhere then. */
  secure: boolean;
  /**
   * Whether `host` is the registry itself, and not one that it redirects to. What that one calls a repository is in its
   * challenge, and what it refuses says nothing about the account.
   */
  isRegistry: boolean;
  now: () => number;
}

interface Token {
  text: string;
  /** Epoch milliseconds from which it isn't used any more. */
  until: number;
}

const tokenLimitBytes = 256 * 1024;
/** What the protocol says of a token that doesn't say how long it lives. */
const defaultLifeSeconds = 60;

export function createAuthorization({
  host,
  credentials,
  network,
  mayBePrivate,
  secure,
  isRegistry,
  now,
}: AuthorizationOptions): Authorization {
  const tokens = new Map<string, Token>();
  let known: Challenge | undefined;
  const basic = credentials
    ? `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
    : undefined;

  const scopesFor = ({ scope }: Challenge, scopes: string[]) => (scope && !isRegistry ? [scope] : scopes);

  async function token(challenge: Challenge, scopes: string[]): Promise<string> {
    const key = scopes.join(' ');
    const kept = tokens.get(key);
    if (kept && now() < kept.until) return kept.text;
    const fresh = await fetchToken(challenge, scopes);
    tokens.set(key, fresh);
    return fresh.text;
  }

  async function fetchToken({ realm = '', service }: Challenge, scopes: string[]): Promise<Token> {
    const url = realmUrl(realm, host);
    if (basic && secure && url.protocol !== 'https:')
      throw new RegistryError(
        'tls',
        host,
        `${host} names a token service without TLS (${url.host}), so Slipway did not send the password`,
      );
    if (service) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const { answer, from, authorized } = await askTokenService(url);
    const body = await readBody(answer, from, tokenLimitBytes);
    const status = answer.statusCode ?? 0;
    if (status === 429) throw rateLimited(from, answer.headers, now());
    const named = from === host ? from : `${from}, the token service of ${host},`;
    if (status === 401 || status === 403) {
      if (!isRegistry || (credentials && !authorized))
        throw new RegistryError(
          'unreachable',
          from,
          `${named} answered ${status}, and Slipway sends passwords only to the registry itself`,
          { status },
        );
      const refused = credentials ? 'refused the username and password' : 'requires a username and password';
      throw new RegistryError('bad-credentials', from, `${named} ${refused}`, { status });
    }
    if (status >= 500)
      throw new RegistryError('unreachable', from, `${named} answered ${status}`, { status });
    return readToken(body, status);
  }

  /** Follows redirects as engines do: the password stays at the origin that the registry named. */
  async function askTokenService(
    realm: URL,
  ): Promise<{ answer: IncomingMessage; from: string; authorized: boolean }> {
    let [url, authorization, isPrivate] = [realm, basic, mayBePrivate];
    for (let hops = 0; ; hops++) {
      const answer = await network.send({
        method: 'GET',
        url,
        headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
        mayBePrivate: isPrivate,
      });
      if (!isRedirect(answer)) return { answer, from: url.host, authorized: authorization !== undefined };
      answer.destroy();
      if (hops >= mostRedirects)
        throw new RegistryError('not-a-registry', url.host, `${url.host} redirects in an endless loop`);
      const next = redirectedTo(answer, url);
      if (next.origin !== url.origin) authorization = undefined;
      isPrivate &&= network.isPrivate(hostWithPort(url));
      url = next;
    }
  }

  function readToken(body: Buffer, status: number): Token {
    let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } = {};
    try {
      answer = JSON.parse(body.toString()) ?? {};
    } catch {
      // Told below like any other answer without a token.
    }
    const text = answer.token || answer.access_token;
    if (typeof text !== 'string' || text === '' || /[^\x21-\x7e]/.test(text))
      throw new RegistryError(
        'not-a-registry',
        host,
        `${host} names a token service that returned no token`,
        {
          status,
        },
      );
    const life = Number(answer.expires_in) > 0 ? Number(answer.expires_in) : defaultLifeSeconds;
    return { text, until: now() + Math.max(life * 0.8, life - 30) * 1000 };
  }

  return {
    async header(scopes) {
      if (!known) return undefined;
      return known.scheme === 'basic' ? basic : `Bearer ${await token(known, scopesFor(known, scopes))}`;
    },
    canMeet: ({ scheme }, authorized) => scheme === 'bearer' || (!authorized && basic !== undefined),
    async learn(challenge, scopes) {
      known = challenge;
      if (challenge.scheme === 'basic') return;
      const wanted = scopesFor(challenge, scopes);
      // A kept token that is refused may have been revoked: the next try has a new one.
      tokens.delete(wanted.join(' '));
      await token(challenge, wanted);
    },
  };
}

function realmUrl(realm: string, host: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new RegistryError('not-a-registry', host, `${host} names a token service with an invalid URL`);
}

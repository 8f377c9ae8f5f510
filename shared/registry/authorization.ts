/** The `Authorization` of each request: learned from the registry's challenge, tokens kept until shortly before they expire. */
import type { Challenge } from './challenge.ts';
import { type Credentials, RegistryError } from './model.ts';
import type { Network } from './network.ts';
import { rateLimited } from './rate-limit.ts';
import { readBody } from './read-body.ts';

export interface Authorization {
  /** What to send, as far as is known before asking; undefined for nothing. */
  header(scopes: string[]): Promise<string | undefined>;
  /**
   * Learns from a 401 to a request that had an `Authorization` or not (another one may have learned meanwhile).
   * Answers whether another try makes sense. Throws `bad-credentials`, `rate-limited` and the like.
   */
  learn(challenge: Challenge, scopes: string[], wasAuthorized: boolean): Promise<boolean>;
}

export interface AuthorizationOptions {
  host: string;
  credentials?: Credentials | undefined;
  network: Network;
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
  now,
}: AuthorizationOptions): Authorization {
  const tokens = new Map<string, Token>();
  let known: Challenge | undefined;
  const basic = credentials
    ? `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
    : undefined;

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
    if (service) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const answer = await network.send({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...(basic ? { authorization: basic } : {}) },
      mayBePrivate: network.isPrivate(host),
    });
    const body = await readBody(answer, url.host, tokenLimitBytes);
    const status = answer.statusCode ?? 0;
    if (status === 429) throw rateLimited(host, answer.headers, now());
    if (status === 401 || status === 403)
      throw new RegistryError(
        'bad-credentials',
        host,
        credentials ? `${host} refused username and password` : `${host} wants username and password`,
        { status },
      );
    if (status >= 500)
      throw new RegistryError('unreachable', host, `${url.host} answered ${status}`, { status });
    return readToken(body, status);
  }

  function readToken(body: Buffer, status: number): Token {
    let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } = {};
    try {
      answer = JSON.parse(body.toString()) ?? {};
    } catch {
      // Told below like any other answer without a token.
    }
    const text = answer.token ?? answer.access_token;
    if (typeof text !== 'string' || text === '' || /[^\x21-\x7e]/.test(text))
      throw new RegistryError('not-a-registry', host, `${host} named a token service that gave no token`, {
        status,
      });
    const life = Number(answer.expires_in) > 0 ? Number(answer.expires_in) : defaultLifeSeconds;
    return { text, until: now() + Math.max(life * 0.8, life - 30) * 1000 };
  }

  return {
    async header(scopes) {
      if (!known) return undefined;
      return known.scheme === 'basic' ? basic : `Bearer ${await token(known, scopes)}`;
    },
    async learn(challenge, scopes, wasAuthorized) {
      known = challenge;
      if (challenge.scheme === 'basic') return !wasAuthorized && basic !== undefined;
      // A kept token that is refused may have been revoked: the next try has a new one.
      tokens.delete(scopes.join(' '));
      await token(challenge, scopes);
      return true;
    },
  };
}

function realmUrl(realm: string, host: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new RegistryError('not-a-registry', host, `${host} names a token service that is no URL`);
}

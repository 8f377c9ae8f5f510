/** Reading from the registry that a cache rule names: manifests and blobs, with its token or password. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

export interface UpstreamCredentials {
  username: string;
  accessToken: string;
}

/** What the upstream registry answered instead of what it was asked for; without a status, nothing. */
export class UpstreamError extends Error {
  override name = 'UpstreamError';
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export interface Upstream {
  manifest(repository: string, reference: string): Promise<{ mediaType: string; bytes: Buffer }>;
  blob(repository: string, digest: string): Promise<Readable>;
}

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const answerWithinMs = 30_000;

/** `baseUrl` is where the registry really is; every method throws `UpstreamError`. */
export function createUpstream(baseUrl: string, credentials: UpstreamCredentials | undefined): Upstream {
  const basic =
    credentials &&
    `Basic ${Buffer.from(`${credentials.username}:${credentials.accessToken}`).toString('base64')}`;
  const tokens = new Map<string, string>();

  /** What the challenge asks for: the password itself, or a token that it is exchanged for. */
  async function authorizationFor(challenge: string, repository: string): Promise<string | undefined> {
    if (/^basic\b/i.test(challenge)) return basic;
    const { realm, service } = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );
    if (!realm) return undefined;
    const url = new URL(realm);
    if (service) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:pull`);
    const answer = await ask(url, basic ? { authorization: basic } : {});
    if (!answer.ok) return undefined;
    const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token}`;
  }

  async function get(repository: string, path: string, accept: string): Promise<Response> {
    const url = new URL(`/v2/${repository}/${path}`, baseUrl);
    const send = () => {
      const authorization = tokens.get(repository);
      return ask(url, { accept, ...(authorization && { authorization }) });
    };
    let answer = await send();
    // A storage that the registry redirects to has neither the account nor a say in where its password goes.
    if (answer.status === 401 && new URL(answer.url).origin === url.origin) {
      const challenge = answer.headers.get('www-authenticate') ?? '';
      await answer.body?.cancel();
      const authorization = await authorizationFor(challenge, repository);
      if (authorization === undefined) throw new UpstreamError(`${url} requires credentials`, 401);
      tokens.set(repository, authorization);
      answer = await send();
    }
    if (answer.ok) return answer;
    await answer.body?.cancel();
    throw new UpstreamError(`${answer.url} answers ${answer.status}`, answer.status);
  }

  return {
    async manifest(repository, reference) {
      const answer = await get(repository, `manifests/${reference}`, manifestTypes.join(', '));
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { mediaType: answer.headers.get('content-type') ?? '', bytes };
    },
    async blob(repository, digest) {
      const answer = await get(repository, `blobs/${digest}`, '*/*');
      return Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
    },
  };
}

/** Follows redirects, and leaves the authorization behind where one leads to another host. */
async function ask(url: URL, headers: Record<string, string>): Promise<Response> {
  const giveUp = new AbortController();
  // Only the answer's beginning: a layer may take as long as it takes.
  const timer = setTimeout(() => giveUp.abort(), answerWithinMs);
  try {
    return await fetch(url, { headers, signal: giveUp.signal });
  } catch (error) {
    const { cause, message } = error as Error;
    throw new UpstreamError(`${url.host}: ${cause instanceof Error ? cause.message : message}`);
  } finally {
    clearTimeout(timer);
  }
}

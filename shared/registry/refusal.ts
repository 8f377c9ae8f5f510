/** What a registry's refusal means. */
import type { Challenge } from './challenge.ts';
import { RegistryError } from './model.ts';

export interface Refused {
  host: string;
  status: number;
  request: { method: string; scopes: readonly string[] };
  body: Buffer;
  challenge?: Challenge | undefined;
  hasCredentials: boolean;
}

export function refusal({ host, status, request, body, challenge, hasCredentials }: Refused): RegistryError {
  const said = wordsOf(body);
  const because = said ? ` (${said})` : '';
  const [scope] = request.scopes;
  const what = scope ? `${host}/${scope.split(':')[1]}` : host;
  if (status === 401 || status === 403) {
    const writes = scope?.includes('push') || request.method === 'DELETE';
    if (status === 401 && !challenge && !scope)
      return new RegistryError('not-a-registry', host, `${host} answered 401 without saying how to log in`, {
        status,
      });
    if (hasCredentials && (!scope || challenge?.scheme === 'basic') && status === 401)
      return new RegistryError(
        'bad-credentials',
        host,
        `${host} refused the username and password${because}`,
        {
          status,
        },
      );
    if (writes)
      return new RegistryError(
        'no-push',
        host,
        `These credentials do not allow pushing to ${what}${because}`,
        {
          status,
        },
      );
    if (hasCredentials)
      return new RegistryError(
        'no-pull',
        host,
        `These credentials do not allow pulling from ${what}${because}`,
        {
          status,
        },
      );
    if (challenge?.scheme === 'basic' || !scope)
      return new RegistryError(
        'bad-credentials',
        host,
        `${host} requires a username and password${because}`,
        {
          status,
        },
      );
    // Registries don't tell what they hide from strangers.
    return new RegistryError('not-found', host, `${what} does not exist or requires credentials${because}`, {
      status,
    });
  }
  // A registry that is read-only for now, or a mirror of another one; deletion is often all that is switched off.
  if (status === 405 && scope?.includes('push') && request.method !== 'DELETE')
    return new RegistryError('no-push', host, `${what} does not accept pushes${because}`, { status });
  if (status === 404)
    return scope
      ? new RegistryError('not-found', host, `${what} does not exist${because}`, { status })
      : new RegistryError('not-a-registry', host, `${host} is not a container registry: it has no /v2/`, {
          status,
        });
  if (status >= 500)
    return new RegistryError('unreachable', host, `${host} answered ${status}${because}`, { status });
  return new RegistryError('refused', host, `${host} answered ${status}${because}`, { status });
}

/**
 * What a host refuses to which the registry redirects, such as a storage. It has no account there, so that no 401 of it
 * says anything about the account's.
 */
export function refusalElsewhere({
  host,
  from,
  status,
  request,
  body,
}: Pick<Refused, 'host' | 'status' | 'request' | 'body'> & { from: string }): RegistryError {
  const said = wordsOf(body);
  const message = `${from}, to which ${host} redirects, answered ${status}${said ? ` (${said})` : ''}`;
  if (status === 404 && request.scopes.length > 0)
    return new RegistryError('not-found', from, message, { status });
  if (status === 401 || status === 403 || status >= 500)
    return new RegistryError('unreachable', from, message, { status });
  return new RegistryError('refused', from, message, { status });
}

/** The registry's own words, where they are the protocol's error document. */
function wordsOf(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: { code?: unknown; message?: unknown }[] };
    const [first] = errors ?? [];
    const text = [first?.code, first?.message].filter((part) => typeof part === 'string').join(': ');
    return text.replace(/[\p{Cc}]+/gu, ' ').slice(0, 300);
  } catch {
    return '';
  }
}

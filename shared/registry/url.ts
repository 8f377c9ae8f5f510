/** Registry URLs: a host with or without scheme and path, in one normal form. */
import { isRepository, normalHost } from './reference.ts';

export interface RegistryUrl {
  host: string;
  /** Part of every repository's name below this registry; empty for all of the host. */
  path: string;
  /** Plain HTTP. */
  insecure: boolean;
}

export class InvalidRegistryUrlError extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'InvalidRegistryUrlError';
  }
}

/**
 * `privateHosts` are the hosts (`name` or `name:port`) that the deployment allows inside private networks: only these
 * may be plain HTTP. Throws `InvalidRegistryUrlError`, whose message completes "the url …".
 */
export function parseRegistryUrl(text: string, privateHosts: readonly string[]): RegistryUrl {
  const refuse = (why: string) => new InvalidRegistryUrlError(why);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase() ?? 'https';
  if (scheme !== 'https' && scheme !== 'http')
    throw refuse(`must begin with https:// or http://, not ${scheme}://`);
  const rest = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  if (rest.includes('@')) throw refuse('must not contain credentials: use `username` and `password`');
  if (/[?#\s]/.test(rest))
    throw refuse('must be a host and an optional path, without query, fragment or spaces');
  const slash = rest.indexOf('/');
  const hostText = slash < 0 ? rest : rest.slice(0, slash);
  const port = /[^:]:(\d+)$/.exec(hostText)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    throw refuse(`must have a port between 1 and 65535, not ${port}`);
  const host = normalHost(hostText);
  if (!host) throw refuse(`must begin with a host name, not "${hostText}"`);
  // `https://index.docker.io/v1/` is how Docker itself spells its hub; `/v2/` is the protocol, not a repository.
  const path = (slash < 0 ? '' : rest.slice(slash + 1)).replace(/^v[12](?:\/|$)/, '').replace(/\/+$/, '');
  if (path !== '' && !isRepository(path))
    throw refuse(`must have a path that is a valid repository name, not "${path}"`);
  const insecure = scheme === 'http';
  if (insecure && !isPrivateHost(host, privateHosts))
    throw refuse(`must not be http://, which this deployment allows only for its private registries`);
  return { host, path, insecure };
}

/** What a record and an answer show. */
export const formatRegistryUrl = ({ host, path, insecure }: RegistryUrl): string =>
  `${insecure ? 'http://' : ''}${host}${path === '' ? '' : `/${path}`}`;

/** Whether the stage lists `host`, by itself or with this port. */
export function isPrivateHost(host: string, privateHosts: readonly string[]): boolean {
  const lower = host.toLowerCase();
  return privateHosts.some((one) => [lower, lower.replace(/:\d+$/, '')].includes(one.toLowerCase()));
}

/** Where an answer sends its reader. */
import type { IncomingMessage } from 'node:http';
import { RegistryError } from './model.ts';

const statuses = [301, 302, 303, 307, 308];
/** That keep method and body. */
const keeping = [307, 308];
export const mostRedirects = 5;

type Answer = Pick<IncomingMessage, 'statusCode' | 'headers'>;

/** Whether a request with this method, whose body can be sent again, goes on elsewhere. */
export function isRedirect({ statusCode = 0, headers }: Answer, method = 'GET'): boolean {
  const all = method === 'GET' || method === 'HEAD' ? statuses : keeping;
  return headers.location !== undefined && all.includes(statusCode);
}

/** Throws `not-a-registry` for what is no URL. */
export const redirectedTo = ({ headers }: Answer, from: URL): URL =>
  requireUrl(headers.location ?? '', from.href, from.host);

/** What `host` calls a URL may be none, or one of another protocol. */
export function requireUrl(text: string, base: string, host: string): URL {
  const url = URL.parse(text, base);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new RegistryError(
    'not-a-registry',
    host,
    `${host} redirects to an invalid URL: ${text.slice(0, 150)}`,
  );
}

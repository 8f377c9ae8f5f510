/**
 * Requests to hosts that users name. A name is resolved once, its addresses are checked, and the connection goes to a
 * checked address: a name that resolves differently a moment later gains nothing.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { isPublicAddress } from './addresses.ts';
import { RegistryError } from './model.ts';
import { classified, unreachable } from './network-errors.ts';
import { isPrivateHost } from './url.ts';

export interface NetworkRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: Buffer | Readable | undefined;
  /** Whether the host may be silent for longer: it has much to do, or waits for its reader. */
  patient?: boolean | undefined;
  /** Whether a host of the stage's private registries may be reached; what a public host names may not lead there. */
  mayBePrivate: boolean;
}

export interface Network {
  /** The answer with its body still to read; redirects are not followed. Throws `RegistryError`. */
  send(request: NetworkRequest): Promise<IncomingMessage>;
  isPrivate(host: string): boolean;
  /** Closes idle connections. */
  close(): void;
}

export interface NetworkOptions {
  /** The stage's `privateRegistries`. */
  privateHosts: readonly string[];
  /** How long a host may stay silent. */
  timeoutMs?: number;
  resolve?: (hostname: string) => Promise<{ address: string; family: number }[]>;
  /** Certificate authorities beside the well-known ones, PEM: the stage's `privateCertificateAuthorities`. */
  ca?: string | undefined;
}

/** How many times as long as others a patient request waits. */
const patience = 6;
const connectionsAtMost = 8;

export function createNetwork({
  privateHosts,
  timeoutMs = 10_000,
  resolve = (hostname) => systemLookup(hostname, { all: true }),
  ca,
}: NetworkOptions): Network {
  // A connection that lies idle for as long is closed: its other end may have gone while this process was frozen.
  const pooling = { keepAlive: true, maxSockets: connectionsAtMost, timeout: timeoutMs };
  const trust = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const http = new HttpAgent(pooling);
  const https = new HttpsAgent({ ...pooling, ...trust });
  // A connection of a pool is taken without a look at its address: where addresses are checked, the pool is another.
  const checkedHttps = new HttpsAgent({ ...pooling, ...trust });
  const isPrivate = (host: string) => isPrivateHost(host, privateHosts);

  /** Answers only addresses that may be connected to. */
  const lookupChecked: LookupFunction = (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const allowed = found.filter(({ address }) => isPublicAddress(address));
        const [first] = allowed;
        if (!first) callback(refusedAddress(hostname), []);
        else if (options.all) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

  return {
    isPrivate,
    send({ method, url, headers, body, patient = false, mayBePrivate }) {
      return new Promise((answered, failed) => {
        const fail = (error: unknown) => failed(classified(error, url.host));
        const hostname = url.hostname.replace(/^\[|\]$/g, '');
        const open = mayBePrivate && isPrivate(hostWithPort(url));
        if (!open && url.protocol !== 'https:')
          return fail(
            new RegistryError('tls', url.host, `Slipway must not connect to ${url.host} without TLS`),
          );
        if (!open && isIP(hostname) !== 0 && !isPublicAddress(hostname))
          return fail(refusedAddress(hostname));
        if (isStream(body) && body.destroyed) return fail(body.errored ?? new Error('nothing to send'));
        const agent = !open ? checkedHttps : url.protocol === 'https:' ? https : http;
        const silenceMs = patient ? timeoutMs * patience : timeoutMs;
        const attempt = (number: number) => {
          const request = (agent === http ? requestHttp : requestHttps)({
            ...targetOf(url, hostname),
            method,
            headers: { 'user-agent': 'slipway', ...headers },
            agent,
            // As an option: the agent's own sockets have it already.
            timeout: silenceMs,
            ...(open ? {} : { lookup: lookupChecked }),
          });
          const giveUp = (why: string) => request.destroy(unreachable(url.host, why));
          request.on('timeout', () => giveUp(`did not answer for ${silenceMs / 1000} s`));
          // A host that sends a byte now and then is never silent, and never answers either.
          const late = isStream(body)
            ? undefined
            : setTimeout(() => giveUp('responded too slowly'), silenceMs * 2);
          let isOver = false;
          request.on('response', (answer) => {
            isOver = true;
            clearTimeout(late);
            answered(answer);
          });
          request.on('error', (error) => {
            if (isOver) return;
            isOver = true;
            // Each attempt takes one dead connection out of the pool.
            const again = request.reusedSocket && !isStream(body) && wasClosed(error);
            if (again && number <= connectionsAtMost) attempt(number + 1);
            else fail(error);
          });
          request.on('close', () => {
            clearTimeout(late);
            // Neither an answer nor an error: the other side switches to a protocol that nobody asked for.
            if (!isOver) fail(unreachable(url.host, 'closed the connection without an answer'));
          });
          if (!isStream(body)) request.end(body);
          else {
            body.once('error', (error) => request.destroy(error)).pipe(request);
            // Given up by its reader: a request that is never finished would keep the connection, and the process.
            body.once('close', () => request.writableEnded || request.destroy());
          }
        };
        try {
          attempt(1);
        } catch (error) {
          // What a redirect names before its host may be no text.
          fail(error);
        }
      });
    },
    close() {
      http.destroy();
      https.destroy();
      checkedHttps.destroy();
    },
  };
}

/** What a request needs of `url`. Node would take twice as much out of the URL itself, and more time than all checks here. */
const targetOf = ({ port, pathname, search, username, password }: URL, hostname: string) => ({
  hostname,
  port,
  path: `${pathname}${search}`,
  ...(username === '' && password === ''
    ? {}
    : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
});

/** URLs leave out a protocol's own port, which a stage may name. */
export const hostWithPort = ({ host, port, protocol }: URL) =>
  port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host;

const isStream = (body: NetworkRequest['body']): body is Readable =>
  body !== undefined && !Buffer.isBuffer(body);

/** Of a connection of the pool: the other side closed it while it was idle, so that nothing was asked. */
const wasClosed = ({ code }: NodeJS.ErrnoException) => code === 'ECONNRESET' || code === 'EPIPE';

const refusedAddress = (hostname: string) =>
  new RegistryError(
    'refused-address',
    hostname,
    `${hostname} has a loopback, private or reserved address, which this deployment does not allow`,
  );

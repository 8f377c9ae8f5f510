/** One request to the registry and what its handlers need. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cloud, Principal } from '../../platform.ts';
import type { AccountSettings } from '../account-settings.ts';
import { type BlobFiles, digestPattern } from '../blob-files.ts';
import type { EcrStore } from '../store.ts';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  principal: Principal;
  /** Repository of the path; not necessarily an existing one. */
  repository: string;
  /** Tag, digest or upload id, whatever the path ends in. */
  reference: string;
}

export interface RegistryParts {
  cloud: Cloud;
  store: EcrStore;
  files: BlobFiles;
  /** Brings here what a rule says is fetched from elsewhere, before a manifest is looked up. */
  cache: {
    refresh(principal: Principal, repository: string, reference: string): Promise<void>;
    has(repository: string): boolean;
  };
  settings: Pick<AccountSettings, 'mountsBlobs'>;
}

/** An error as the distribution specification reports it. */
export class RegistryError extends Error {
  override name = 'RegistryError';
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Whether the client has what `etag` names, and answers 304 then. The comparison is the weak one, as for any GET. */
export function isUnchanged(exchange: Exchange, etag: string, headers: Record<string, string>): boolean {
  const asked = exchange.request.headers['if-none-match'];
  if (asked === undefined) return false;
  const tags = asked.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes('*') && !tags.includes(etag)) return false;
  exchange.response.writeHead(304, { ...headers, etag }).end();
  return true;
}

/** A digest in a path: of the only algorithm that is kept here, or the name of what can't be here. Throws 400 for what is none. */
export function requireDigestForm(text: string): void {
  const isDigest = text.startsWith('sha256:')
    ? digestPattern.test(text)
    : /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text);
  if (!isDigest) throw new RegistryError(400, 'DIGEST_INVALID', `'${text}' is not a valid digest`);
}

/** Answers without a body, or with one; HEAD requests get the headers only. */
export function answer(
  { request, response }: Exchange,
  status: number,
  headers: Record<string, string | number> = {},
  body?: Buffer | string,
): void {
  response.writeHead(status, {
    'content-length': body === undefined ? 0 : Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Reads a body up to `limitBytes`; throws a 413 beyond it. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Kept open when it is too large: the connection must still carry the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > limitBytes)
      throw new RegistryError(413, 'SIZE_INVALID', `The request body is larger than ${limitBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

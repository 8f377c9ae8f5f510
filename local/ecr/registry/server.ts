/** The registry that container engines talk to: the OCI distribution protocol, with ECR's passwords and policies. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AwsError, type Principal } from '../../platform.ts';
import { closeWhenSilent, headerPatience } from '../../slow-connections.ts';
import type { Passwords } from '../password.ts';
import { repositoryArn, requireRepository } from '../repositories.ts';
import { getBlob } from './blobs.ts';
import { type Exchange, RegistryError, type RegistryParts } from './exchange.ts';
import { getManifest, listReferrers, listTags, putManifest } from './manifests.ts';
import { appendChunk, beginUpload, cancelUpload, completeUpload, uploadStatus } from './uploads.ts';

interface Route {
  methods: string[];
  pattern: RegExp;
  /** What a caller must be allowed to do with the repository. */
  action: string;
  handle(parts: RegistryParts, exchange: Exchange): Promise<void> | void;
}

const route = (methods: string, path: string, action: string, handle: Route['handle']): Route => ({
  methods: methods.split(' '),
  pattern: new RegExp(`^/v2/(?<repository>.+?)/${path}$`),
  action: `ecr:${action}`,
  handle,
});

const routes: Route[] = [
  route('GET HEAD', 'manifests/(?<reference>[^/]+)', 'BatchGetImage', getManifest),
  route('PUT', 'manifests/(?<reference>[^/]+)', 'PutImage', putManifest),
  route('GET', 'tags/list', 'ListImages', listTags),
  route('GET', 'referrers/(?<reference>[^/]+)', 'BatchGetImage', listReferrers),
  route('HEAD', 'blobs/(?<reference>(?!uploads$)[^/]+)', 'BatchCheckLayerAvailability', getBlob),
  route('GET', 'blobs/(?<reference>(?!uploads$)[^/]+)', 'GetDownloadUrlForLayer', getBlob),
  route('POST', 'blobs/uploads/?', 'InitiateLayerUpload', beginUpload),
  route('PATCH', 'blobs/uploads/(?<reference>[^/]+)', 'UploadLayerPart', appendChunk),
  route('GET', 'blobs/uploads/(?<reference>[^/]+)', 'UploadLayerPart', uploadStatus),
  route('PUT', 'blobs/uploads/(?<reference>[^/]+)', 'CompleteLayerUpload', completeUpload),
  route('DELETE', 'blobs/uploads/(?<reference>[^/]+)', 'CompleteLayerUpload', cancelUpload),
];

/** How the registry reports what ECR's operations throw. */
const registryCodes: Record<string, [status: number, code: string]> = {
  AccessDeniedException: [403, 'DENIED'],
  RepositoryNotFoundException: [404, 'NAME_UNKNOWN'],
  LayersNotFoundException: [400, 'MANIFEST_BLOB_UNKNOWN'],
  ReferencedImagesNotFoundException: [400, 'MANIFEST_BLOB_UNKNOWN'],
  ImageTagAlreadyExistsException: [400, 'TAG_INVALID'],
  InvalidParameterException: [400, 'MANIFEST_INVALID'],
};

/** Not listening yet. */
export function createRegistryServer(parts: RegistryParts, passwords: Passwords): Server {
  // Layers may take as long as they take.
  const server = createServer({ ...headerPatience, requestTimeout: 0 }, (request, response) => {
    serve(parts, passwords, request, response).catch((error: unknown) =>
      fail(parts, request, response, error),
    );
  });
  return closeWhenSilent(server);
}

async function serve(
  parts: RegistryParts,
  passwords: Passwords,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { cloud, store } = parts;
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  const { url, path } = addressOf(request.url ?? '/', cloud.registryHost);
  if (url.pathname !== '/v2' && !url.pathname.startsWith('/v2/'))
    throw new RegistryError(404, 'UNSUPPORTED', 'Not found');
  const principal = authenticate(parts, passwords, request);
  if (url.pathname === '/v2' || url.pathname === '/v2/') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
    return;
  }
  const matches = routes.filter((one) => one.pattern.test(path));
  const found = matches.find((one) => one.methods.includes(request.method ?? ''));
  if (!found) {
    const allowed = matches.flatMap((one) => one.methods).join(', ');
    if (matches.length === 0) throw new RegistryError(404, 'UNSUPPORTED', 'Not found');
    throw new RegistryError(405, 'UNSUPPORTED', `This path does not support ${request.method}`, {
      allow: allowed,
    });
  }
  const groups = found.pattern.exec(path)?.groups ?? {};
  const repository = groups.repository ?? '';
  cloud.authorize(principal, found.action, repositoryArn(cloud, repository));
  if (found.handle === getManifest) await parts.cache.refresh(principal, repository, groups.reference ?? '');
  requireRepository(cloud, store, repository);
  await found.handle(parts, {
    request,
    response,
    query: url.searchParams,
    principal,
    repository,
    reference: groups.reference ?? '',
  });
}

/** Throws 400 for what no URL is, or has escapes that stand for nothing. */
function addressOf(text: string, host: string): { url: URL; path: string } {
  try {
    // Below the host, whatever the text begins with: two slashes would name another one.
    const url = new URL(`http://${host}${text.startsWith('/') ? text : `/${text}`}`);
    return { url, path: decodeURIComponent(url.pathname) };
  } catch {
    throw new RegistryError(400, 'NAME_INVALID', 'The path of the request is not valid');
  }
}

/** Basic authentication with a password from GetAuthorizationToken; throws 401 or, for an expired one, 403. */
function authenticate({ cloud }: RegistryParts, passwords: Passwords, request: IncomingMessage): Principal {
  const challenge = {
    'www-authenticate': `Basic realm="http://${cloud.registryHost}/",service="ecr.amazonaws.com"`,
  };
  const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic')
    throw new RegistryError(401, 'UNAUTHORIZED', 'Not Authorized', challenge);
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const verified =
    decoded.slice(0, colon) === 'AWS' ? passwords.verify(decoded.slice(colon + 1), cloud.now()) : 'invalid';
  if (verified === 'expired' || (verified !== 'invalid' && cloud.hasSessionEnded(verified)))
    throw new RegistryError(
      403,
      'DENIED',
      'Your authorization token has expired. Reauthenticate and try again.',
    );
  if (verified === 'invalid')
    throw new RegistryError(401, 'UNAUTHORIZED', 'Your authorization token is invalid.', challenge);
  return verified;
}

function fail(
  { cloud }: RegistryParts,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  request.resume();
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known = toRegistryError(error);
  if (!known) cloud.log('ecr', `${request.method} ${request.url}: ${(error as Error).stack ?? error}`);
  const { status, code, message, headers } = known ?? new RegistryError(500, 'UNKNOWN', 'Internal error');
  const body = JSON.stringify({ errors: [{ code, message }] });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function toRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof AwsError)) return undefined;
  const [status, code] = registryCodes[error.code] ?? [error.status, 'DENIED'];
  return new RegistryError(status, code, error.message);
}

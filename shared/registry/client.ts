/** The client of one registry: the OCI distribution protocol and Docker's, which it grew from. */
import type { IncomingMessage } from 'node:http';
import { blobStream } from './blob-stream.ts';
import { isDigest, requireDigest, requireForm, sha256Of } from './digest.ts';
import { readDocument } from './manifests.ts';
import { acceptedManifests, isSchema1, mediaTypeOf } from './media-types.ts';
import { type ReadManifest, type RegistryClient, RegistryError } from './model.ts';
import { discard } from './read-body.ts';
import { referrerLists } from './referrers.ts';
import { refusal } from './refusal.ts';
import { resolveManifest } from './resolve-manifest.ts';
import { unsignedBytes } from './schema1.ts';
import { createSession, type SessionOptions, type SessionRequest } from './session.ts';
import { blobUploads } from './uploads.ts';

const manifestLimitBytes = 4 * 1024 * 1024;
const pingLimitBytes = 64 * 1024;

/** `host` as in image names; nothing is asked before the first method is called. */
export function createRegistryClient(options: SessionOptions): RegistryClient {
  const { host } = options;
  const session = createSession(options);
  const pull = (repository: string) => [`repository:${repository}:pull`];
  const push = (repository: string) => [`repository:${repository}:pull,push`];
  const manifestUrl = (repository: string, reference: string) => `/v2/${repository}/manifests/${reference}`;
  const blobUrl = (repository: string, digest: string) => `/v2/${repository}/blobs/${digest}`;

  async function getManifest(
    repository: string,
    reference: string,
    accept = acceptedManifests,
  ): Promise<ReadManifest> {
    const { headers, body, from } = await session.read(
      {
        method: 'GET',
        url: manifestUrl(repository, reference),
        scopes: pull(repository),
        headers: { accept },
        expected: [200],
      },
      manifestLimitBytes,
    );
    const document = readDocument(body, host);
    const mediaType = mediaTypeOf(headers['content-type'], document);
    const hashed = isSchema1(mediaType) ? unsignedBytes(body, document) : body;
    const isByDigest = reference.includes(':');
    const named = isByDigest ? reference : headers['docker-content-digest'];
    if (typeof named !== 'string' || named === '')
      return { digest: sha256Of(hashed), mediaType, body, document };
    requireDigest(hashed, named, from);
    // Computed from the bytes just now: once is enough.
    const digest = isByDigest || named.startsWith('sha256:') ? named : sha256Of(hashed);
    return { digest, mediaType, body, document };
  }

  async function headByGet(repository: string, reference: string): Promise<Found> {
    try {
      const { digest, mediaType } = await getManifest(repository, reference);
      return { statusCode: 200, headers: { 'docker-content-digest': digest, 'content-type': mediaType } };
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) return { statusCode: 404, headers: {} };
      throw error;
    }
  }

  async function readBlob(repository: string, digest: string, limitBytes: number): Promise<Buffer> {
    const { body, from } = await session.read(
      { method: 'GET', url: blobUrl(repository, digest), scopes: pull(repository), expected: [200] },
      limitBytes,
    );
    requireDigest(body, digest, from);
    return body;
  }

  /**
   * As engines do: what a registry doesn't answer to HEAD, it may answer to GET, or say why it doesn't. `orGet` answers
   * with the status 404 for what isn't there. Where GET says that, a refusal of HEAD in the registry's own form stays one.
   */
  async function head(request: Omit<SessionRequest, 'method'>, orGet: () => Promise<Found>): Promise<Found> {
    let isRefused = false;
    try {
      const { answer } = await session.send({ ...request, method: 'HEAD', expected: [200, 403, 404] });
      discard(answer);
      const isOwnWord = answer.statusCode === 200 || isFromRegistry(answer);
      isRefused = answer.statusCode === 403 && isOwnWord;
      if (isOwnWord && !isRefused) return answer;
    } catch (error) {
      if (!(error instanceof RegistryError) || !isRefusal(error)) throw error;
    }
    const found = await orGet();
    if (!isRefused || found.statusCode !== 404) return found;
    throw refusal({
      host,
      status: 403,
      request: { method: 'HEAD', scopes: request.scopes },
      body: Buffer.alloc(0),
      hasCredentials: options.credentials !== undefined,
    });
  }

  async function hasBlob(repository: string, digest: string): Promise<number | undefined> {
    const asked = { url: blobUrl(repository, digest), scopes: pull(repository), expected: [200, 404] };
    const answer = await head(asked, async () => {
      const { answer } = await session.send({ ...asked, method: 'GET' });
      answer.destroy();
      return answer;
    });
    if (answer.statusCode === 404) return undefined;
    const size = Number(answer.headers['content-length'] ?? 0);
    if (Number.isSafeInteger(size)) return size;
    throw new RegistryError('corrupt', host, `${host} returned a blob size that is not a number of bytes`);
  }

  const client: RegistryClient = {
    host,
    ...blobUploads(session, host, push),
    ...referrerLists(session, host, pull),
    getManifest,
    manifestUrl: async (repository, reference) =>
      `${await session.origin()}${manifestUrl(repository, reference)}`,
    readBlob,
    hasBlob,
    resolveManifest: (repository, reference, platform) =>
      resolveManifest(client, repository, reference, platform),
    async ping() {
      const { headers, body } = await session.read(
        { method: 'GET', url: '/v2/', scopes: [], expected: [200] },
        pingLimitBytes,
      );
      // Any web server may answer 200 to anything.
      if (headers['docker-distribution-api-version'] === undefined && !isJson(body))
        throw new RegistryError('not-a-registry', host, `${host} does not answer like a container registry`);
    },
    async headManifest(repository, reference) {
      const asked = {
        url: manifestUrl(repository, reference),
        scopes: pull(repository),
        headers: { accept: acceptedManifests },
        expected: [200, 404],
      };
      const answer = await head(asked, () => headByGet(repository, reference));
      const digest = answer.headers['docker-content-digest'];
      if (answer.statusCode === 404) return undefined;
      if (typeof digest === 'string' && isDigest(digest))
        return { digest, mediaType: answer.headers['content-type'] ?? '' };
      // Some registries leave the digest out: the body says it.
      const { digest: computed, mediaType } = await getManifest(repository, reference);
      return { digest: computed, mediaType };
    },
    async putManifest(repository, reference, mediaType, body) {
      const { headers } = await session.read(
        {
          method: 'PUT',
          url: manifestUrl(repository, reference),
          scopes: push(repository),
          headers: { 'content-type': mediaType, 'content-length': String(body.length) },
          body,
          expected: [200, 201, 202],
        },
        pingLimitBytes,
      );
      const digest = headers['docker-content-digest'];
      if (typeof digest === 'string' && digest !== '') requireDigest(body, digest, host);
      return sha256Of(body);
    },
    async deleteManifest(repository, reference) {
      const { answer } = await session.send({
        method: 'DELETE',
        url: manifestUrl(repository, reference),
        scopes: [`repository:${repository}:pull,push,delete`],
        expected: [200, 202, 204, 404],
      });
      discard(answer);
    },
    async listTags(repository, atMost) {
      const { headers, body } = await session.read(
        {
          method: 'GET',
          url: `/v2/${repository}/tags/list?n=${atMost + 1}`,
          scopes: pull(repository),
          expected: [200],
        },
        manifestLimitBytes,
      );
      const { tags } = readDocument(body, host);
      const names = Array.isArray(tags) ? tags.filter((one) => typeof one === 'string') : [];
      return headers.link !== undefined || names.length > atMost ? undefined : names;
    },
    async getBlob(repository, digest) {
      requireForm(digest, host);
      const { answer, from } = await session.send({
        method: 'GET',
        url: blobUrl(repository, digest),
        scopes: pull(repository),
        expected: [200],
        patient: true,
      });
      return blobStream(answer, digest, from);
    },
  };
  return client;
}

type Found = Pick<IncomingMessage, 'statusCode' | 'headers'>;

/** Whether a 404 is a registry's own, and not that of something before it which knows no HEAD. */
const isFromRegistry = ({ headers }: Found) =>
  headers['docker-distribution-api-version'] !== undefined ||
  /^application\/(?:[\w.+-]+\+)?json\b/.test(headers['content-type'] ?? '');

/** An answer, of whatever kind; a token service's is about every request. */
const isRefusal = ({ code, status }: RegistryError) =>
  status !== undefined && code !== 'rate-limited' && code !== 'bad-credentials';

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString() || '{}');
    return true;
  } catch {
    return false;
  }
}

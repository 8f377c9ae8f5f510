/** Blobs into a registry: begun, then sent whole with their digest, as containerd does; or mounted from another repository. */
import type { IncomingMessage } from 'node:http';
import { requireDigest, requireForm } from './digest.ts';
import { type RegistryClient, RegistryError } from './model.ts';
import { discard } from './read-body.ts';
import type { Session } from './session.ts';

type Uploads = Pick<RegistryClient, 'putBlob' | 'mountBlob' | 'probePush'>;

export function blobUploads(session: Session, host: string, push: (repository: string) => string[]): Uploads {
  const uploadsUrl = (repository: string, query = '') => `/v2/${repository}/blobs/uploads/${query}`;

  async function begin(repository: string, query: string, scopes: string[]): Promise<IncomingMessage> {
    const { answer } = await session.send({
      method: 'POST',
      url: uploadsUrl(repository, query),
      scopes,
      headers: { 'content-length': '0' },
      expected: [201, 202],
    });
    discard(answer);
    return answer;
  }

  const locationOf = ({ headers }: IncomingMessage): string => {
    if (headers.location) return headers.location;
    throw new RegistryError('not-a-registry', host, `${host} started an upload without a location`);
  };

  /** An upload that nobody finishes expires by itself: not every registry lets its beginner take it back. */
  async function giveUp(repository: string, begun: IncomingMessage): Promise<void> {
    const url = locationOf(begun);
    try {
      const expected = [200, 202, 204, 400, 401, 403, 404, 405];
      discard((await session.send({ method: 'DELETE', url, scopes: push(repository), expected })).answer);
    } catch (error) {
      // The right to push was there, which is what was asked; a URL that is none makes it no registry.
      if (!(error instanceof RegistryError) || error.code === 'not-a-registry') throw error;
    }
  }

  return {
    async putBlob(repository, digest, body) {
      // A stream was hashed where it comes from.
      if (Buffer.isBuffer(body)) requireDigest(body, digest, host);
      else requireForm(digest, host);
      const place = locationOf(await begin(repository, '', push(repository)));
      const sizeBytes = Buffer.isBuffer(body) ? body.length : body.sizeBytes;
      const { answer: done } = await session.send({
        method: 'PUT',
        url: `${place}${place.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`,
        scopes: push(repository),
        headers: {
          'content-type': 'application/octet-stream',
          ...(sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) }),
        },
        body: Buffer.isBuffer(body) ? body : body.stream,
        expected: [200, 201],
        // Some move gigabytes before they answer.
        patient: true,
      });
      discard(done);
    },
    async mountBlob(repository, digest, from) {
      const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
      const answer = await begin(repository, query, [...push(repository), `repository:${from}:pull`]);
      if (answer.statusCode === 201) return true;
      await giveUp(repository, answer);
      return false;
    },
    async probePush(repository) {
      await giveUp(repository, await begin(repository, '', push(repository)));
    },
  };
}

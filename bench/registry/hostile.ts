/** A registry that sends whatever harms its client: each attack is a repository of its own. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ociIndex, ociManifest } from '../../shared/registry/media-types.ts';

const mebibyte = 1024 * 1024;
/** Ten gigabytes, in pieces, as fast as they are taken. */
const endlessPieces = 10_000;
const piece = Buffer.alloc(mebibyte, 0x20);

type Attack = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** A client that hangs up is what is hoped for. */
const gone = (waited: Promise<unknown>) => waited.catch(() => undefined);

const endless = async (response: ServerResponse, status = 200, headers = {}): Promise<void> => {
  response.writeHead(status, { 'content-type': ociManifest, ...headers });
  const closed = gone(once(response, 'close'));
  response.write('{');
  for (let sent = 0; sent < endlessPieces && !response.destroyed; sent++)
    if (!response.write(piece)) await Promise.race([gone(once(response, 'drain')), closed]);
  response.end();
};

const whole = (response: ServerResponse, body: string, type = ociManifest) =>
  void response.writeHead(200, { 'content-type': type }).end(body);

const repeated = (text: string, bytes: number) => text.repeat(Math.floor(bytes / text.length));
const almost = 4 * mebibyte - 1000;
const digest = `sha256:${createHash('sha256').update('config').digest('hex')}`;
const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 6 };
const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/** What is asked for is always the manifest of `<attack>:latest`, and what that leads to. */
export const attacks: Record<string, Attack> = {
  'a manifest of 10 GB': (_, response) => endless(response),
  'a configuration of 10 GB': ({ url = '' }, response) =>
    url.includes('/blobs/')
      ? endless(response)
      : whole(response, JSON.stringify({ config: descriptor, layers: [] })),
  'a refusal of 10 GB': (_, response) => endless(response, 404),
  'a challenge of 10 GB': ({ url = '', headers }, response) =>
    url.includes('/token')
      ? whole(response, '{"token":"x"}')
      : endless(response, 401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }),
  'a token of 10 GB': ({ url = '', headers }, response) =>
    url.includes('/token')
      ? endless(response)
      : void response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` })
          .end(),
  'redirects of 10 GB': ({ url = '' }, response) => endless(response, 302, { location: `${url}x` }),
  'chunks of one byte': async (_, response) => {
    response.writeHead(200, { 'content-type': ociManifest });
    const many = Buffer.from(repeated('1\r\n \r\n', mebibyte));
    const closed = gone(once(response, 'close'));
    response.write(' ');
    // Below the response, which would join them.
    for (let sent = 0; sent < 40 && !response.destroyed; sent++) {
      if (response.socket?.write(many) === false)
        await Promise.race([gone(once(response.socket, 'drain')), closed]);
    }
    response.destroy();
  },
  'an index of a million empty objects': (_, response) =>
    whole(response, `{"manifests":[${repeated('{},', almost)}{}]}`, ociIndex),
  'lists in lists': (_, response) =>
    whole(response, `{"a":${repeated('[', almost / 2)}${repeated(']', almost / 2)}}`),
  'four megabytes of signs beyond Latin': (_, response) =>
    whole(response, JSON.stringify({ layers: [], config: '☃'.repeat(almost / 3) })),
  'a history within a history': (_, response) =>
    whole(
      response,
      JSON.stringify({
        fsLayers: [],
        history: [{ v1Compatibility: `{"config":{"a":[${repeated('{},', almost - 1000)}{}]}}` }],
        signatures: [{ protected: Buffer.from('nonsense').toString('base64url') }],
      }),
      schema1,
    ),
};

export interface HostileRegistry {
  host: string;
  stop(): Promise<void>;
}

/** Repositories are `attack-<index>`, in the order of `attacks`. */
export async function startHostileRegistry(): Promise<HostileRegistry> {
  const all = Object.values(attacks);
  // Token requests name no repository: they belong to the attack before them.
  let last = '0';
  const server = createServer(async (request, response) => {
    response.on('error', () => response.destroy());
    const index = /\/attack-(\d+)\//.exec(request.url ?? '')?.[1] ?? last;
    last = index;
    const attack = all[Number(index)];
    if (request.url?.includes('/nothing-there/') || !attack) response.writeHead(404).end();
    else await attack(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}

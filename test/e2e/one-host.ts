/** A registry where every first part of a path has an account of its own, as namespaces have at the large ones. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';

export interface Account {
  username: string;
  password: string;
}

/** A real registry, and in front of it who wants a token, which is good for the namespace of the account it was given for. */
export async function startNamespaces(
  accounts: Record<string, Account>,
): Promise<Pick<DockerRegistry, 'host' | 'stop'>> {
  const behind = await startDockerRegistry();
  const namespaces = new Map<string, string>();
  const server = createServer((asked, answer) => {
    const { url = '', headers } = asked;
    if (url.startsWith('/token')) return giveToken(asked, answer);
    const [, , namespace = ''] = url.split('/');
    const allowed = namespaces.get(headers.authorization ?? '');
    if (allowed !== undefined && ['', allowed].includes(namespace)) return pass(asked, answer);
    const realm = `Bearer realm="http://${headers.host}/token",service="namespaces"`;
    const [, repository] = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url) ?? [];
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
    refuse(answer, { 'www-authenticate': realm + scope });
  });

  function giveToken({ method, headers }: IncomingMessage, answer: ServerResponse): void {
    // Engines try OAuth first, and then what all services understand.
    if (method !== 'GET') {
      answer.writeHead(405).end();
      return;
    }
    const [namespace] = Object.entries(accounts).find(
      ([, { username, password }]) =>
        headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    ) ?? [''];
    if (namespace === '') {
      refuse(answer, {});
      return;
    }
    const token = randomUUID();
    namespaces.set(`Bearer ${token}`, namespace);
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ token, expires_in: 300 }));
  }

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url, headers } = asked;
    const [hostname, port] = behind.host.split(':');
    const passed = request({ hostname, port, method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await behind.stop();
    },
  };
}

function refuse(answer: ServerResponse, headers: Record<string, string>): void {
  answer.writeHead(401, { ...headers, 'content-type': 'application/json' });
  answer.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'not this account' }] }));
}

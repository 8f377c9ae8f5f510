/** A registry where every first part of a path has an account of its own, as namespaces have at the large ones. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';

export interface Account {
  username: string;
  password: string;
}

/** A real registry, and in front of it who asks for the account of the path. */
export async function startNamespaces(
  accounts: Record<string, Account>,
): Promise<Pick<DockerRegistry, 'host' | 'stop'>> {
  const behind = await startDockerRegistry();
  const allowed = (path: string) => {
    const [, , namespace = ''] = path.split('/');
    const all = namespace === '' ? Object.values(accounts) : [accounts[namespace]];
    return all.flatMap((one) =>
      one ? [`Basic ${Buffer.from(`${one.username}:${one.password}`).toString('base64')}`] : [],
    );
  };
  const server = createServer((asked, answer) => {
    const { method, url = '', headers } = asked;
    if (!allowed(url).includes(headers.authorization ?? '')) {
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="test"', 'content-type': 'application/json' });
      answer.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'not this account' }] }));
      return;
    }
    const [hostname, port] = behind.host.split(':');
    const passed = request({ hostname, port, method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
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

import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createRegistryServer } from '../../local/ecr/registry/server.ts';
import { createEndpointServer } from '../../local/endpoint/endpoint.ts';
import { createGatewayServer } from '../../local/gateway/gateway.ts';
import { closeWhenSilent } from '../../local/slow-connections.ts';

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

/** Resolves with what the server said before it closed the connection. */
async function said(by: Server, text: string, drips: boolean): Promise<string> {
  server = by;
  await new Promise<void>((ready) => by.listen(0, '127.0.0.1', ready));
  const address = by.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return await new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(address.port, '127.0.0.1', () => {
      socket.write(text);
    });
    const drip = setInterval(() => drips && socket.write('x-a: 1\r\n'), 50);
    socket.on('data', (part) => (answer += part));
    socket.on('error', reject);
    socket.on('close', () => {
      clearInterval(drip);
      resolve(answer);
    });
  });
}

const servers: [string, () => Server][] = [
  ['gateway', createGatewayServer],
  ['endpoint', createEndpointServer],
  ['registry', () => createRegistryServer({} as never, {} as never)],
];

test.each(servers)(
  'the %s waits for headers, but not for ever',
  async (_, create) => {
    const one = create();
    expect(one.headersTimeout).toBeGreaterThan(0);
    expect(one.headersTimeout).toBeLessThanOrEqual(30_000);
    one.headersTimeout = 300;
    expect(await said(one, 'GET /v1/health HTTP/1.1\r\nHost: x\r\n', true)).toContain('408');
  },
  60_000,
);

test('a connection on which nothing moves is closed, though its request is under way', async () => {
  const silent = closeWhenSilent(
    createServer(() => {}),
    300,
  );
  expect(await said(silent, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', false)).toBe('');
});

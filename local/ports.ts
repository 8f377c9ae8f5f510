/** Loopback ports: the API's, the AWS endpoint's next to it, the container registry's after that. */
import type { Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';

/** Somebody else listens on a port that was asked for. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  constructor(port: number) {
    super(`Port ${port} is in use. Set SLIPWAY_PORT to the first of three free ports.`);
  }
}

/** Listens on loopback; port 0 takes a free one. Returns the port. */
export function listen(server: Server | ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortInUseError(port) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Below the range that the kernel hands out by itself: nobody gets it by chance before it is used. */
const anyPort = () => 10_000 + Math.floor(Math.random() * 20_000);

/** A loopback port that nobody listens on at the moment; throws `PortInUseError` when `wanted` is taken. */
export async function freePort(wanted = 0): Promise<number> {
  for (;;) {
    const server = createServer();
    try {
      const port = await listen(server, wanted || anyPort());
      await new Promise((resolve) => server.close(resolve));
      return port;
    } catch (error) {
      if (wanted !== 0 || !(error instanceof PortInUseError)) throw error;
    }
  }
}

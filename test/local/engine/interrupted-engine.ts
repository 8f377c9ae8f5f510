/** The machine's container engine behind a socket that a test can take away for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine, type Engine } from '../../../local/engine/engine.ts';

export interface InterruptedEngine {
  engine: Engine;
  /** Breaks all connections off, and takes no new ones. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function interruptedEngine(): Promise<InterruptedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const address = engineAddress(process.env);
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  const comeBack = () =>
    new Promise<void>((resolve) => {
      server = createServer((client) => {
        const upstream =
          address.kind === 'unix' ? connect(address.socketPath) : connect(address.port, address.host);
        for (const [one, other] of [
          [client, upstream],
          [upstream, client],
        ] as const) {
          sockets.add(one);
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            sockets.delete(one);
            other.destroy();
          });
        }
      }).listen(socketPath, resolve);
    });
  const leave = async () => {
    const closed = new Promise((resolve) => server?.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await comeBack();
  const engine = createEngine({ kind: 'unix', socketPath });
  return {
    engine,
    leave,
    comeBack,
    async close() {
      engine.close();
      await leave();
      rmSync(folder, { recursive: true });
    },
  };
}

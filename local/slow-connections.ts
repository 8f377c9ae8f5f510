/** How long the local servers wait for clients that are slow, or that never go on. */
import type { Server, ServerOptions } from 'node:http';

/** For `createServer`: a request's line and headers arrive within 20 s, or it is answered 408 and the connection closed. */
export const headerPatience = {
  headersTimeout: 20_000,
  connectionsCheckingInterval: 5000,
} as const satisfies ServerOptions;

/** Closes connections on which nothing moves for five minutes while a request or its answer is under way. */
export function closeWhenSilent(server: Server, silentMs = 300_000): Server {
  server.setTimeout(silentMs, (socket) => socket.destroy());
  return server;
}

/** A server that listens already, but whose handler comes later. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const retryAfterSeconds = '2';

/** Answers every request with 503 until the server has another handler. */
export function answerWhileBooting(server: Server): void {
  const refuse = (incoming: IncomingMessage, response: ServerResponse) => {
    if (server.listenerCount('request') > 1) return void server.off('request', refuse);
    const body = JSON.stringify({ message: 'Service Unavailable' });
    response.writeHead(503, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'retry-after': retryAfterSeconds,
      // The body isn't read.
      connection: 'close',
    });
    response.end(body);
    incoming.resume();
  };
  server.on('request', refuse);
}

/** A registry in front of another one that keeps some requests waiting, for as long as a test wants. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeldRegistry {
  /** `127.0.0.1:<port>` */
  host: string;
  /** Requests that wait now, whose senders have not given up. */
  waiting(): string[];
  /** Requests that went on to the registry behind it. */
  passed(): string[];
  /** What waits goes on, and what comes from now on isn't kept. */
  letGo(): void;
  stop(): Promise<void>;
}

/** `behind` is the other registry's host; `isHeld` gets requests such as `GET /v2/team/image/blobs/sha256:…`. */
export async function holdRequests(behind: string, isHeld: (line: string) => boolean): Promise<HeldRegistry> {
  const waiting = new Map<ServerResponse, { line: string; goOn: () => void }>();
  const passed: string[] = [];
  let isOpen = false;
  const server = createServer((asked, answer) => {
    const line = `${asked.method} ${asked.url}`;
    const goOn = () => {
      waiting.delete(answer);
      passed.push(line);
      forward(behind, asked, answer);
    };
    if (isOpen || !isHeld(line)) return goOn();
    waiting.set(answer, { line, goOn });
    answer.once('close', () => waiting.delete(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting: () => [...waiting.values()].map(({ line }) => line),
    passed: () => [...passed],
    letGo() {
      isOpen = true;
      for (const { goOn } of [...waiting.values()]) goOn();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(behind: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { hostname, port } = new URL(`http://${behind}`);
  const { url: path, method, headers } = asked;
  const onward = request({ host: hostname, port, path, method, headers }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}

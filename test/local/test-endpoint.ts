/** Services behind the real endpoint, for the AWS SDK's own clients. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEndpointServer, serveEndpoint } from '../../local/endpoint/endpoint.ts';
import type { Principal, RestAnswer, Service } from '../../local/platform.ts';
import { root, type TestCloud } from './test-cloud.ts';

export interface TestEndpoint {
  url: string;
  /** Configuration for any SDK client that signs as `principal`. */
  clientOf(principal?: Principal): {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
    maxAttempts: number;
  };
  close(): Promise<void>;
}

const secretAccessKey = 'test-secret-access-key';

export async function testEndpoint(
  cloud: TestCloud,
  services: Service[],
  serveOpen: (path: string) => RestAnswer | undefined = () => undefined,
): Promise<TestEndpoint> {
  const principals = new Map<string, Principal>();
  const server: Server = createEndpointServer();
  serveEndpoint(server, {
    // Signatures carry the real time.
    cloud: { ...cloud, now: () => new Date(), authorize: cloud.authorize, log: cloud.log },
    services,
    findKey(accessKeyId) {
      const principal = principals.get(accessKeyId) ?? cloud.principalOf(accessKeyId);
      const issued = cloud.issued.get(accessKeyId);
      return (
        principal && {
          accessKeyId,
          secretAccessKey: issued?.secretAccessKey ?? secretAccessKey,
          sessionToken: issued?.sessionToken ?? '',
          expiresAt: Number.MAX_SAFE_INTEGER,
          principal,
        }
      );
    },
    serveOpen: (request) => serveOpen(request.path),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cloud.endpointUrl = url;
  return {
    url,
    clientOf(principal = root) {
      const accessKeyId = `AKIA${String(principals.size).padStart(16, 'A')}`;
      principals.set(accessKeyId, principal);
      return {
        endpoint: url,
        region: cloud.region,
        credentials: { accessKeyId, secretAccessKey },
        maxAttempts: 1,
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

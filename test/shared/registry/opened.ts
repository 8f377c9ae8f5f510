/** Registries, servers and networks that are there for one test. */
import { afterEach } from 'vitest';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { createNetwork, type Network, type NetworkOptions } from '../../../shared/registry/network.ts';
import { type MemoryRegistry, startMemoryRegistry, startServer, type TestServer } from './servers.ts';

type ClientOptions = Parameters<typeof createRegistryClient>[0];

/** For the tests of one file: whatever a test opens is stopped when it is over. */
export function openedByTests() {
  const open: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.stop()));
  });
  function keep<T extends { stop(): Promise<unknown> }>(one: T): T {
    open.push(one);
    return one;
  }
  function network(options: Partial<NetworkOptions> = {}): Network {
    const one = createNetwork({ privateHosts: ['127.0.0.1'], ...options });
    keep({ stop: async () => one.close() });
    return one;
  }
  return {
    keep,
    network,
    async registry(...how: Parameters<typeof startMemoryRegistry>): Promise<MemoryRegistry> {
      return keep(await startMemoryRegistry(...how));
    },
    async server(...how: Parameters<typeof startServer>): Promise<TestServer> {
      return keep(await startServer(...how));
    },
    clientOf: ({ host }: { host: string }, more: Partial<ClientOptions> = {}) =>
      createRegistryClient({ host, insecure: true, network: network(), ...more }),
  };
}

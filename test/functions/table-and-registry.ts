/** A real table, and beside it a registry that stands for all there are. */
import type { RegistryAccess } from '../../shared/registry/access.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import type { Table } from '../../shared/store/table.ts';
import { type MemoryRegistry, startMemoryRegistry } from '../shared/registry/servers.ts';
import { startRealTable } from '../shared/store/real-table.ts';

export interface TableAndRegistry {
  table: Table;
  registry: MemoryRegistry;
  /** Whatever host is asked, `registry` answers. */
  access: RegistryAccess;
  stop(): Promise<void>;
}

export async function startTableAndRegistry(): Promise<TableAndRegistry> {
  const network = createNetwork({ privateHosts: ['127.0.0.1'] });
  const [{ table, stop }, registry] = await Promise.all([startRealTable(), startMemoryRegistry()]);
  return {
    table,
    registry,
    access: {
      clientFor: async () => createRegistryClient({ host: registry.host, network, insecure: true }),
      registryOf: async () => undefined,
    } as unknown as RegistryAccess,
    async stop() {
      network.close();
      await Promise.all([stop(), registry.stop()]);
    },
  };
}

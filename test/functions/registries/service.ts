/** The function's operations over a test deployment. */

import type { RegistriesDependencies } from '../../../functions/registries/dependencies.ts';
import { registryOperations } from '../../../functions/registries/operations.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createRegistryAccess } from '../../../shared/registry/access.ts';
import { createNetwork, type Network } from '../../../shared/registry/network.ts';
import { createIdempotency } from '../../../shared/store/idempotency.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { type TestDeployment, testStage } from '../deployment.ts';
import { memoryLog } from '../event.ts';

export const ecrRegistry = '000000000000.dkr.ecr.us-east-1.amazonaws.com';

export function registriesService(
  { table, secrets }: Pick<TestDeployment, 'table' | 'secrets'>,
  replaced: Partial<RegistriesDependencies> = {},
) {
  const { privateRegistries } = testStage;
  const network: Network = createNetwork({ privateHosts: privateRegistries });
  const registries = createRegistryStore(table, ecrRegistry, privateRegistries);
  const access = createRegistryAccess({
    registries,
    secrets,
    ecrLogin: async () => ({ username: 'AWS', password: 'token' }),
    ecrRegistry,
    network,
  });
  const log = memoryLog();
  const time = { now: new Date('2026-11-21T09:00:00Z') };
  const handler = serve(
    registryOperations({
      table,
      secrets,
      registries,
      access,
      network,
      stage: testStage,
      ecrRegistry,
      ...replaced,
    }),
    { now: () => time.now, table, idempotency: createIdempotency(table), log },
  );
  return { handler, log, time, access, network };
}

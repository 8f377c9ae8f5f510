/** Registries as a function of the deployment reaches them. */
import { createEcrLogin } from '../aws/ecr-login.ts';
import { createSecretReader } from '../aws/secrets.ts';
import type { Stage } from '../model/stage.ts';
import { createRegistryStore, type RegistryStore } from '../store/registries.ts';
import type { Table } from '../store/table.ts';
import { createRegistryAccess, type RegistryAccess } from './access.ts';
import type { Credentials } from './model.ts';
import { createNetwork, type Network } from './network.ts';

export interface DeploymentRegistries {
  registries: RegistryStore;
  access: RegistryAccess;
  network: Network;
  /** Logs in to the deployment's own ECR by the function's role. */
  ecrLogin: () => Promise<Credentials>;
}

export function registriesOfDeployment(
  table: Table,
  ecrRegistry: string,
  { privateRegistries, privateCertificateAuthorities }: Stage,
): DeploymentRegistries {
  const registries = createRegistryStore(table, ecrRegistry, privateRegistries);
  const network = createNetwork({ privateHosts: privateRegistries, ca: privateCertificateAuthorities });
  const ecrLogin = createEcrLogin();
  const access = createRegistryAccess({
    registries,
    secrets: createSecretReader(),
    ecrLogin,
    ecrRegistry,
    network,
  });
  return { registries, access, network, ecrLogin };
}

import type { Secrets } from '../../shared/aws/secrets.ts';
import type { Stage } from '../../shared/model/stage.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import type { Network } from '../../shared/registry/network.ts';
import type { RegistryStore } from '../../shared/store/registries.ts';
import type { Table } from '../../shared/store/table.ts';

/** What the use cases of this function work with. */
export interface RegistriesDependencies {
  table: Table;
  secrets: Secrets;
  registries: RegistryStore;
  access: RegistryAccess;
  network: Network;
  stage: Pick<Stage, 'stage' | 'privateRegistries'>;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
}

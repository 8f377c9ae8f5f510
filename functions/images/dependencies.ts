import type { Repositories } from '../../shared/aws/repositories.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import type { RegistryStore } from '../../shared/store/registries.ts';
import type { Table } from '../../shared/store/table.ts';

/** What the use cases of this function work with. */
export interface ImagesDependencies {
  table: Table;
  registries: RegistryStore;
  access: RegistryAccess;
  repositories: Repositories;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
}

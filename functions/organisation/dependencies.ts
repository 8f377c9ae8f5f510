import type { Secrets } from '../../shared/aws/secrets.ts';
import type { SignUpload } from '../../shared/aws/upload-url.ts';
import type { InviteUser } from '../../shared/aws/user-pool.ts';
import type { Caller } from '../../shared/http/operation.ts';
import type { Stage } from '../../shared/model/stage.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import type { RegistryStore } from '../../shared/store/registries.ts';
import type { Table } from '../../shared/store/table.ts';

/** What the use cases of this function work with. */
export interface OrganisationDependencies {
  table: Table;
  registries: RegistryStore;
  access: Pick<RegistryAccess, 'clientFor'>;
  secrets: Secrets;
  stage: Stage;
  tokenKey: () => Promise<string>;
  /** As in the `iss` claim of access tokens. */
  issuer: string;
  /** Absent where people sign in at an OIDC issuer of the operator's own. */
  inviteUser?: InviteUser | undefined;
  signUpload: SignUpload;
}

/** Who asks, and when. */
export interface Asking {
  caller: Caller;
  now: Date;
  ifMatch?: string | undefined;
}

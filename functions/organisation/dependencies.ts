import type { Mail } from '../../shared/aws/mail.ts';
import type { Secrets } from '../../shared/aws/secrets.ts';
import type { SignUpload } from '../../shared/aws/upload-url.ts';
import type { UserPool } from '../../shared/aws/user-pool.ts';
import type { Caller } from '../../shared/http/operation.ts';
import type { Stage } from '../../shared/model/stage.ts';
import type { Log } from '../../shared/observability/log.ts';
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
  userPool?: UserPool | undefined;
  /** As in the `aud` or `client_id` of access tokens: the user pool's client, where there is one. */
  audience: string;
  mail: Mail;
  apiUrl: string;
  region: string;
  log: Pick<Log, 'warn'>;
  signUpload: SignUpload;
}

/** Who asks, and when. */
export interface Asking {
  caller: Caller;
  now: Date;
  ifMatch?: string | undefined;
}

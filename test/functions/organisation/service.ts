/** The function's operations over a test deployment. */

import type { OrganisationDependencies } from '../../../functions/organisation/dependencies.ts';
import { organisationOperations } from '../../../functions/organisation/operations.ts';
import { createUploadSigner } from '../../../shared/aws/upload-url.ts';
import { createUserPool } from '../../../shared/aws/user-pool.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createIdempotency } from '../../../shared/store/idempotency.ts';
import { createSeal } from '../../../shared/store/seal.ts';
import { type TestDeployment, testStage } from '../deployment.ts';
import { memoryLog } from '../event.ts';

export const issuer = 'https://issuer.example/pool';
export const tokenKey = async () => 'k'.repeat(48);

export function organisationService(
  { table, secrets, s3, cognito, userPoolId }: TestDeployment,
  replaced: Partial<OrganisationDependencies> = {},
) {
  const log = memoryLog();
  const handler = serve(
    organisationOperations({
      table,
      secrets,
      stage: testStage,
      tokenKey,
      issuer,
      inviteUser: createUserPool(userPoolId, cognito),
      signUpload: createUploadSigner('artifacts', s3),
      ...replaced,
    }),
    {
      now: () => new Date(),
      table,
      idempotency: createIdempotency(table, createSeal(tokenKey, 'idempotency')),
      log,
    },
  );
  return { handler, log };
}

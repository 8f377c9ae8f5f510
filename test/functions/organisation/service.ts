/** The function's operations over a test deployment. */

import { SESv2Client } from '@aws-sdk/client-sesv2';
import type { OrganisationDependencies } from '../../../functions/organisation/dependencies.ts';
import { organisationOperations } from '../../../functions/organisation/operations.ts';
import { createMail } from '../../../shared/aws/mail.ts';
import { createUploadSigner } from '../../../shared/aws/upload-url.ts';
import { createUserPool } from '../../../shared/aws/user-pool.ts';
import { serve } from '../../../shared/http/serve.ts';
import { RegistryError } from '../../../shared/registry/model.ts';
import { createIdempotency } from '../../../shared/store/idempotency.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { createSeal } from '../../../shared/store/seal.ts';
import { type TestDeployment, testStage } from '../deployment.ts';
import { memoryLog } from '../event.ts';

export const issuer = 'https://issuer.example/pool';
export const tokenKey = async () => 'k'.repeat(48);

export function organisationService(
  { table, secrets, s3, cognito, userPoolId, clientId, cloud }: TestDeployment,
  replaced: Partial<OrganisationDependencies> = {},
) {
  const log = memoryLog();
  const handler = serve(
    organisationOperations({
      table,
      registries: createRegistryStore(table, 'ecr.example', []),
      access: {
        async clientFor(_organisation, host) {
          throw new RegistryError('unreachable', host, `${host} is not reached from this test`);
        },
      },
      secrets,
      stage: testStage,
      tokenKey,
      issuer,
      userPool: createUserPool(userPoolId, cognito),
      audience: clientId,
      mail: createMail(testStage.mailFrom, new SESv2Client(cloud.client)),
      apiUrl: 'https://slipway.example',
      region: 'eu-central-1',
      log,
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

import { createMail } from '../../shared/aws/mail.ts';
import { createSecrets } from '../../shared/aws/secrets.ts';
import { createTokenKey } from '../../shared/aws/token-key.ts';
import { createUploadSigner } from '../../shared/aws/upload-url.ts';
import { createUserPool } from '../../shared/aws/user-pool.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import { serve } from '../../shared/http/serve.ts';
import { createLog } from '../../shared/observability/log.ts';
import { registriesOfDeployment } from '../../shared/registry/deployment.ts';
import { createIdempotency } from '../../shared/store/idempotency.ts';
import { createSeal } from '../../shared/store/seal.ts';
import { createTable } from '../../shared/store/table.ts';
import { organisationOperations } from './operations.ts';

const environment = readVariables({
  TABLE_NAME: true,
  ECR_REGISTRY: true,
  ARTIFACTS_BUCKET: true,
  TOKEN_KEY_SECRET_ARN: true,
  AUTH_ISSUER: true,
  AUTH_AUDIENCE: true,
  API_URL: true,
  USER_POOL_ID: true,
});
const stage = readStage();
const table = createTable(environment.TABLE_NAME);
const { registries, access } = registriesOfDeployment(table, environment.ECR_REGISTRY, stage);
const secrets = createSecrets();
const log = createLog();
const tokenKey = createTokenKey(secrets, environment.TOKEN_KEY_SECRET_ARN);

export const handler = serve(
  organisationOperations({
    table,
    registries,
    access,
    secrets,
    stage,
    tokenKey,
    issuer: environment.AUTH_ISSUER,
    userPool: environment.USER_POOL_ID === undefined ? undefined : createUserPool(environment.USER_POOL_ID),
    audience: environment.AUTH_AUDIENCE,
    mail: createMail(stage.mailFrom),
    apiUrl: environment.API_URL,
    region: process.env.AWS_REGION ?? '',
    log,
    signUpload: createUploadSigner(environment.ARTIFACTS_BUCKET),
  }),
  {
    now: () => new Date(),
    table,
    idempotency: createIdempotency(table, createSeal(tokenKey, 'idempotency')),
    log,
  },
);

import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerResult,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import { createSecretReader } from '../../shared/aws/secrets.ts';
import { createTokenKey } from '../../shared/aws/token-key.ts';
import { readStage } from '../../shared/environment/stage.ts';
import { readVariables } from '../../shared/environment/variables.ts';
import type { Identity } from '../../shared/http/operation.ts';
import { createLog } from '../../shared/observability/log.ts';
import { getMember } from '../../shared/store/members.ts';
import { createTable } from '../../shared/store/table.ts';
import { getToken } from '../../shared/store/tokens.ts';
import { createAccessTokenVerifier } from './access-token.ts';
import { authorize } from './authorize.ts';

const environment = readVariables({
  TABLE_NAME: true,
  TOKEN_KEY_SECRET_ARN: true,
  AUTH_ISSUER: true,
  AUTH_AUDIENCE: true,
});
const table = createTable(environment.TABLE_NAME);
const log = createLog();
const now = () => new Date();
const dependencies = {
  organisations: readStage().organisations.map((organisation) => organisation.id),
  findMember: (organisation: string, id: string) => getMember(table, organisation, id),
  findToken: (organisation: string, id: string) => getToken(table, organisation, id),
  tokenKey: createTokenKey(createSecretReader(), environment.TOKEN_KEY_SECRET_ARN),
  verifyAccessToken: createAccessTokenVerifier(
    { issuer: environment.AUTH_ISSUER, audience: environment.AUTH_AUDIENCE },
    now,
  ),
};

type Result = APIGatewaySimpleAuthorizerResult | APIGatewaySimpleAuthorizerWithContextResult<Identity>;

/**
 * Stands before every route. The gateway answers 401 by itself where there is no Authorization header, 403 for
 * `isAuthorized: false`, and 500 where this throws (the issuer or the table can't be reached).
 */
export async function handler(event: APIGatewayRequestAuthorizerEventV2): Promise<Result> {
  const caller = await authorize(dependencies, event.headers?.authorization, now());
  const { requestId } = event.requestContext;
  if (!caller) {
    log.info('refused', { requestId, route: event.routeKey });
    return { isAuthorized: false };
  }
  return { isAuthorized: true, context: caller };
}

/** Signing in: by password, by refresh token, and choosing a password in place of a temporary one. */
import { randomBytes } from 'node:crypto';
import { AwsError, type JsonCall } from '../platform.ts';
import { authorizedPool, type CognitoAccess, members, noSuchUser } from './access.ts';
import { type Client, checkPassword, type Pool } from './pools.ts';
import { passwordMatches, type User } from './users.ts';

const notAuthorized = (message: string): AwsError => new AwsError('NotAuthorizedException', message);
const sessionLifetimeMs = 3 * 60_000;

/** Sign-ins that wait for a new password, by their session token; a restart ends them, as three minutes do. */
interface OpenChallenge {
  sub: string;
  clientId: string;
  expiresAt: number;
}

export interface SignIn {
  initiate(call: JsonCall, administered: boolean): Promise<object>;
  respond(call: JsonCall, administered: boolean): Promise<object>;
}

/** `ALLOW_…` of the client that each flow needs, for administrators and for everybody. */
const flows: Record<string, { allowedBy: string; administered: boolean | 'both' }> = {
  USER_PASSWORD_AUTH: { allowedBy: 'ALLOW_USER_PASSWORD_AUTH', administered: false },
  ADMIN_USER_PASSWORD_AUTH: { allowedBy: 'ALLOW_ADMIN_USER_PASSWORD_AUTH', administered: true },
  ADMIN_NO_SRP_AUTH: { allowedBy: 'ALLOW_ADMIN_USER_PASSWORD_AUTH', administered: true },
  REFRESH_TOKEN_AUTH: { allowedBy: 'ALLOW_REFRESH_TOKEN_AUTH', administered: 'both' },
  REFRESH_TOKEN: { allowedBy: 'ALLOW_REFRESH_TOKEN_AUTH', administered: 'both' },
};

export function createSignIn(access: CognitoAccess): SignIn {
  const challenges = new Map<string, OpenChallenge>();
  const now = (): number => access.now().getTime();

  function clientOf(call: JsonCall, pool: Pool | undefined): { client: Client; pool: Pool } {
    const id = members(call).string('ClientId', { max: 128 });
    const client = access.clients.get(id);
    const found = client && access.pools.get(client.poolId);
    if (!client || !found || (pool && pool.id !== found.id))
      throw new AwsError('ResourceNotFoundException', `User pool client ${id} does not exist.`);
    return { client, pool: found };
  }

  function checkFlow(flow: string, client: Client, administered: boolean): void {
    const known = flows[flow];
    if (!known)
      throw new AwsError(
        'UnsupportedOperation',
        `The embedded cloud does not implement the auth flow ${flow}.`,
      );
    if (known.administered !== 'both' && known.administered !== administered)
      throw new AwsError('InvalidParameterException', 'Initiate Auth method not supported.');
    if (!client.flows.includes(known.allowedBy))
      throw new AwsError('InvalidParameterException', `${flow} flow not enabled for this client`);
  }

  async function byPassword(call: JsonCall, client: Client, pool: Pool): Promise<object> {
    const parameters = members(call).structure('AuthParameters');
    const username = parameters?.optionalString('USERNAME');
    const password = parameters?.optionalString('PASSWORD');
    if (!username) throw new AwsError('InvalidParameterException', 'Missing required parameter USERNAME');
    if (!password) throw new AwsError('InvalidParameterException', 'Missing required parameter PASSWORD');
    const user = access.users.find(pool, username);
    if (!user && !client.hidesMissingUsers) throw noSuchUser();
    if (!user || !passwordMatches(password, user.passwordHash))
      throw notAuthorized('Incorrect username or password.');
    if (!user.enabled) throw notAuthorized('User is disabled.');
    if (user.status === 'CONFIRMED')
      return {
        ChallengeParameters: {},
        AuthenticationResult: await access.tokens.authenticate(user, client),
      };
    if (now() > user.passwordSetAt + pool.policy.temporaryDays * 86_400_000)
      throw notAuthorized('Temporary password has expired and must be reset by an administrator.');
    return challenge(user, client);
  }

  function challenge(user: User, client: Client): object {
    const session = randomBytes(48).toString('base64url');
    for (const [token, open] of challenges) if (open.expiresAt <= now()) challenges.delete(token);
    challenges.set(session, { sub: user.sub, clientId: client.id, expiresAt: now() + sessionLifetimeMs });
    const { sub: _sub, ...attributes } = user.attributes;
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: session,
      ChallengeParameters: {
        USER_ID_FOR_SRP: user.username,
        requiredAttributes: '[]',
        userAttributes: JSON.stringify(attributes),
      },
    };
  }

  async function byRefreshToken(call: JsonCall, client: Client): Promise<object> {
    const token = members(call).structure('AuthParameters')?.optionalString('REFRESH_TOKEN') ?? '';
    const found = access.users.refreshedBy(token, client.id);
    if (!found) throw notAuthorized('Invalid Refresh Token.');
    if (!found.user.enabled) throw notAuthorized('User is disabled.');
    const result = await access.tokens.authenticate(found.user, client, found.signedInAt);
    return { ChallengeParameters: {}, AuthenticationResult: result };
  }

  return {
    async initiate(call, administered) {
      const administeredPool = administered ? authorizedPool(access, call, 'AdminInitiateAuth') : undefined;
      const { client, pool } = clientOf(call, administeredPool);
      const flow = members(call).string('AuthFlow');
      checkFlow(flow, client, administered);
      return flow.startsWith('REFRESH_TOKEN') ? byRefreshToken(call, client) : byPassword(call, client, pool);
    },
    async respond(call, administered) {
      const administeredPool = administered
        ? authorizedPool(access, call, 'AdminRespondToAuthChallenge')
        : undefined;
      const { client, pool } = clientOf(call, administeredPool);
      const input = members(call);
      const name = input.string('ChallengeName');
      if (name !== 'NEW_PASSWORD_REQUIRED')
        throw new AwsError(
          'UnsupportedOperation',
          `The embedded cloud does not implement the challenge ${name}.`,
        );
      const session = input.string('Session', { min: 20, max: 2048 });
      const open = challenges.get(session);
      if (!open || open.clientId !== client.id || open.expiresAt <= now())
        throw notAuthorized('Invalid session for the user, session is expired.');
      const answers = input.structure('ChallengeResponses');
      const user = access.users.bySub(pool.id, open.sub);
      const named = access.users.find(pool, answers?.optionalString('USERNAME') ?? '');
      if (!user || named?.sub !== user.sub) throw notAuthorized('Invalid session for the user.');
      const password = answers?.optionalString('NEW_PASSWORD') ?? '';
      checkPassword(pool.policy, password);
      challenges.delete(session);
      access.users.setPassword(user, password, 'CONFIRMED');
      return {
        ChallengeParameters: {},
        AuthenticationResult: await access.tokens.authenticate(user, client),
      };
    },
  };
}

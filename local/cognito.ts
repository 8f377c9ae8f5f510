/** Cognito user pools: users that administrators invite, sign-in by password, and an OIDC issuer for the tokens. */
import type { CognitoAccess } from './cognito/access.ts';
import {
  adminCreateUser,
  adminDeleteUser,
  adminGetUser,
  adminSetEnabled,
  adminSetUserPassword,
  adminUserGlobalSignOut,
} from './cognito/administration.ts';
import { listUserPools, listUsers } from './cognito/lists.ts';
import { readClient, readPool, stableId } from './cognito/pools.ts';
import { createSignIn } from './cognito/sign-in.ts';
import { createTokenIssuer } from './cognito/tokens.ts';
import { openUserStore } from './cognito/users.ts';
import { AwsError, type Cloud, type RestAnswer, type Service } from './platform.ts';
import { createOutbox } from './ses/outbox.ts';
import { transaction } from './transaction.ts';

export interface Cognito extends Service {
  /** `/<userPoolId>/.well-known/openid-configuration` and `…/jwks.json`; undefined for every other path. */
  serveIssuer(path: string): RestAnswer | undefined;
}

/** Operations that users call for themselves, with a token of theirs or none, and without AWS credentials. */
const unsignedOperations = [
  'AssociateSoftwareToken',
  'ChangePassword',
  'CompleteWebAuthnRegistration',
  'ConfirmDevice',
  'ConfirmForgotPassword',
  'ConfirmSignUp',
  'DeleteUser',
  'DeleteUserAttributes',
  'DeleteWebAuthnCredential',
  'ForgetDevice',
  'ForgotPassword',
  'GetDevice',
  'GetTokensFromRefreshToken',
  'GetUser',
  'GetUserAttributeVerificationCode',
  'GetUserAuthFactors',
  'GlobalSignOut',
  'InitiateAuth',
  'ListDevices',
  'ListUserSessions',
  'ListWebAuthnCredentials',
  'ResendConfirmationCode',
  'RespondToAuthChallenge',
  'RevokeToken',
  'RevokeUserSession',
  'SetUserMFAPreference',
  'SetUserSettings',
  'SignUp',
  'StartWebAuthnRegistration',
  'UpdateAuthEventFeedback',
  'UpdateDeviceStatus',
  'UpdateUserAttributes',
  'VerifySoftwareToken',
  'VerifyUserAttribute',
];

/** Cognito on `cloud.db`. Invitations go through the outbox of SES, which hands them over. */
export function createCognito(cloud: Cloud, options: { smtpUrl?: string } = {}): Cognito {
  const users = openUserStore(cloud);
  const access: CognitoAccess = {
    pools: new Map(),
    clients: new Map(),
    users,
    tokens: createTokenIssuer(cloud, users),
    outbox: createOutbox(cloud, options.smtpUrl ?? process.env.SLIPWAY_SMTP_URL),
    now: () => cloud.now(),
    transaction: (work) => transaction(cloud.db, work),
  };
  const signIn = createSignIn(access);

  return {
    signingName: 'cognito-idp',
    unsignedOperations,
    resourceTypes: {
      'AWS::Cognito::UserPool': {
        physicalId: (declared) => `${cloud.region}_${stableId(declared, 9)}`,
        attributes: ({ physicalId }) => ({
          Arn: `arn:aws:cognito-idp:${cloud.region}:${cloud.accountId}:userpool/${physicalId}`,
          UserPoolId: physicalId,
          ProviderName: `${new URL(cloud.endpointUrl).host}/${physicalId}`,
          ProviderURL: `${cloud.endpointUrl}/${physicalId}`,
        }),
      },
      'AWS::Cognito::UserPoolClient': {
        physicalId: (declared) => stableId(declared, 26),
        attributes: ({ physicalId, properties }) => ({
          ClientId: physicalId,
          Name: properties?.ClientName ?? physicalId,
        }),
      },
      'AWS::Cognito::UserPoolDomain': { physicalId: (declared) => declared.properties.Domain },
    },
    async deploy(resources) {
      access.pools.clear();
      access.clients.clear();
      for (const one of resources)
        if (one.type === 'AWS::Cognito::UserPool') access.pools.set(one.physicalId, readPool(one));
        else if (one.type === 'AWS::Cognito::UserPoolClient')
          access.clients.set(one.physicalId, readClient(one));
      for (const id of access.pools.keys()) await access.tokens.ensureKey(id);
    },
    async start() {
      users.expire();
    },
    async stop() {
      access.outbox.stop();
    },
    serveIssuer(path) {
      const [, poolId = '', name = ''] = /^\/([^/]+)\/\.well-known\/([^/]+)$/.exec(path) ?? [];
      const document = access.pools.has(poolId) ? access.tokens.document(poolId, name) : undefined;
      if (!document) return undefined;
      return {
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' },
        body: JSON.stringify(document),
      };
    },
    operations: {
      AdminCreateUser: (call) => adminCreateUser(access, call),
      AdminGetUser: (call) => adminGetUser(access, call),
      AdminSetUserPassword: (call) => adminSetUserPassword(access, call),
      AdminDeleteUser: (call) => adminDeleteUser(access, call),
      AdminDisableUser: (call) => adminSetEnabled(access, call, false),
      AdminEnableUser: (call) => adminSetEnabled(access, call, true),
      AdminUserGlobalSignOut: (call) => adminUserGlobalSignOut(access, call),
      ListUserPools: (call) => listUserPools(access, call),
      ListUsers: (call) => listUsers(access, call),
      AdminInitiateAuth: (call) => signIn.initiate(call, true),
      AdminRespondToAuthChallenge: (call) => signIn.respond(call, true),
      InitiateAuth: (call) => signIn.initiate(call, false),
      RespondToAuthChallenge: (call) => signIn.respond(call, false),
      SignUp(call) {
        const client = access.clients.get(call.input?.ClientId);
        const pool = client && access.pools.get(client.poolId);
        if (pool?.selfSignUp)
          throw new AwsError('UnsupportedOperation', 'The embedded cloud does not implement SignUp.');
        throw new AwsError('NotAuthorizedException', 'SignUp is not permitted for this user pool');
      },
    },
  };
}

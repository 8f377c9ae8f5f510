import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Cognito, createCognito } from '../../../local/cognito.ts';
import type { DeclaredResource } from '../../../local/platform.ts';
import { call, root, type TestCloud, testCloud } from '../test-cloud.ts';

let cloud: TestCloud;
let cognito: Cognito;
let poolId: string;
let clientId: string;
const password = 'Correct-horse-7';
const email = 'ada@acme.example';

function declare(type: string, logicalId: string, properties: object): DeclaredResource {
  const kind = cognito.resourceTypes?.[type];
  const declared = { stack: 'data', logicalId, properties };
  const physicalId = kind?.physicalId(declared, cloud) ?? '';
  return {
    ...declared,
    type,
    physicalId,
    attributes: kind?.attributes?.({ physicalId, properties }, cloud) ?? {},
  };
}
async function deploy(clientProperties: object = {}): Promise<void> {
  cognito = createCognito(cloud, { smtpUrl: '' });
  const pool = declare('AWS::Cognito::UserPool', 'UserPool', {
    UsernameAttributes: ['email'],
    UsernameConfiguration: { CaseSensitive: false },
    AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
    Policies: { PasswordPolicy: { MinimumLength: 12, TemporaryPasswordValidityDays: 7 } },
  });
  const client = declare('AWS::Cognito::UserPoolClient', 'Client', {
    UserPoolId: pool.physicalId,
    ExplicitAuthFlows: [
      'ALLOW_USER_PASSWORD_AUTH',
      'ALLOW_ADMIN_USER_PASSWORD_AUTH',
      'ALLOW_REFRESH_TOKEN_AUTH',
    ],
    PreventUserExistenceErrors: 'ENABLED',
    AccessTokenValidity: 60,
    TokenValidityUnits: { AccessToken: 'minutes' },
    ...clientProperties,
  });
  await cognito.deploy?.([pool, client]);
  poolId = pool.physicalId;
  clientId = client.physicalId;
}
const ask = (operation: string, input: object) => call(cloud, cognito, operation, input);
const admin = (operation: string, input: object = {}) =>
  ask(operation, { UserPoolId: poolId, Username: email, ...input });
const signIn = (PASSWORD = password, USERNAME = email) =>
  ask('InitiateAuth', {
    ClientId: clientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME, PASSWORD },
  });
async function confirmedUser(): Promise<void> {
  await admin('AdminCreateUser', { MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { Password: password, Permanent: true });
}

// Making a key takes longer than everything else together: one is made, and each test begins with a copy of it.
const template = mkdtempSync(join(tmpdir(), 'slipway-pool-'));
beforeAll(async () => {
  cloud = testCloud(template);
  await deploy();
  cloud.db.close();
});
afterAll(() => rmSync(template, { recursive: true }));

beforeEach(async () => {
  const home = mkdtempSync(join(tmpdir(), 'slipway-cloud-'));
  cpSync(template, home, { recursive: true });
  cloud = testCloud(home);
  await deploy();
});
afterEach(async () => {
  await cognito.stop?.();
  cloud.remove();
});

test('O4 tokens are shaped like Cognito’s and verify by the issuer’s documents', async () => {
  await confirmedUser();
  const { AuthenticationResult: result } = await signIn(password, 'ADA@acme.example');
  const open = (name: string) =>
    JSON.parse(String(cognito.serveIssuer(`/${poolId}/.well-known/${name}`)?.body));
  const { issuer, jwks_uri } = open('openid-configuration');
  expect(issuer).toBe(`${cloud.endpointUrl}/${poolId}`);
  expect(new URL(jwks_uri).pathname).toBe(`/${poolId}/.well-known/jwks.json`);
  const keys = createLocalJWKSet(open('jwks.json') as JSONWebKeySet);
  const currentDate = new Date(cloud.time + 1000);
  const { payload: id, protectedHeader } = await jwtVerify(result.IdToken, keys, {
    issuer,
    audience: clientId,
    currentDate,
  });
  expect(protectedHeader.alg).toBe('RS256');
  const user = await admin('AdminGetUser');
  expect(id).toMatchObject({ token_use: 'id', sub: user.Username, email, email_verified: false });
  const { payload: access } = await jwtVerify(result.AccessToken, keys, { issuer, currentDate });
  expect(access).toMatchObject({
    token_use: 'access',
    client_id: clientId,
    sub: user.Username,
    username: user.Username,
  });
  expect(access.aud).toBeUndefined();
  expect((access.exp ?? 0) - (access.iat ?? 0)).toBe(3600);
  expect(result.ExpiresIn).toBe(3600);
});

test('the key and the users outlive a restart, the private key sealed', async () => {
  await confirmedUser();
  const before = cognito.serveIssuer(`/${poolId}/.well-known/jwks.json`)?.body;
  cloud.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const file = readFileSync(join(cloud.home, 'cloud.db'));
  expect(file.includes('"kty":"RSA"')).toBe(true);
  expect(file.includes('"d":"')).toBe(false);
  expect(file.includes(password)).toBe(false);
  cloud = cloud.reopened();
  await deploy();
  expect(cognito.serveIssuer(`/${poolId}/.well-known/jwks.json`)?.body).toBe(before);
  expect((await signIn()).AuthenticationResult.IdToken).toEqual(expect.any(String));
});

test('O6 an invited user gets a temporary password by mail and must choose another', async () => {
  const { User } = await admin('AdminCreateUser', { UserAttributes: [{ Name: 'email', Value: email }] });
  expect(User).toMatchObject({ UserStatus: 'FORCE_CHANGE_PASSWORD', Enabled: true });
  expect(User.Username).toMatch(/^[0-9a-f-]{36}$/);
  const [file = ''] = readdirSync(join(cloud.home, 'outbox'));
  const mail = readFileSync(join(cloud.home, 'outbox', file), 'utf8');
  expect(mail).toContain(`To: ${email}`);
  const temporary = (/password is ([^\s<]+)/.exec(mail)?.[1] ?? '').replaceAll('&#38;', '&');
  const { ChallengeName, Session } = await signIn(temporary);
  expect(ChallengeName).toBe('NEW_PASSWORD_REQUIRED');
  const respond = (NEW_PASSWORD: string) =>
    ask('RespondToAuthChallenge', {
      ClientId: clientId,
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: email, NEW_PASSWORD },
    });
  await expect(respond('short')).rejects.toMatchObject({ code: 'InvalidPasswordException' });
  expect((await respond(password)).AuthenticationResult.AccessToken).toEqual(expect.any(String));
  await expect(respond(password)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  expect((await signIn()).AuthenticationResult).toBeDefined();
});

test('a temporary password expires', async () => {
  await admin('AdminCreateUser', { MessageAction: 'SUPPRESS', TemporaryPassword: password });
  cloud.time += 8 * 86_400_000;
  await expect(signIn()).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('wrong passwords and unknown users look the same; a disabled user is told', async () => {
  await confirmedUser();
  const refused = { code: 'NotAuthorizedException', message: 'Incorrect username or password.' };
  await expect(signIn('Wrong-horse-77')).rejects.toMatchObject(refused);
  await expect(signIn(password, 'nobody@acme.example')).rejects.toMatchObject(refused);
  await admin('AdminDisableUser');
  await expect(signIn()).rejects.toMatchObject({
    code: 'NotAuthorizedException',
    message: 'User is disabled.',
  });
});

test('a refresh token gives new tokens until the user is signed out everywhere or it expires', async () => {
  await confirmedUser();
  const refresh = (REFRESH_TOKEN: string) =>
    ask('InitiateAuth', {
      ClientId: clientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN },
    });
  const { RefreshToken } = (await signIn()).AuthenticationResult;
  cloud.time += 60_000;
  const { AuthenticationResult: refreshed } = await refresh(RefreshToken);
  expect(refreshed.RefreshToken).toBeUndefined();
  const { iat = 0, auth_time } = decodeJwt(refreshed.AccessToken);
  expect(iat - Number(auth_time)).toBe(60);
  await admin('AdminUserGlobalSignOut');
  await expect(refresh(RefreshToken)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  const second = (await signIn()).AuthenticationResult.RefreshToken;
  cloud.time += 31 * 86_400_000;
  await expect(refresh(second)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('nobody signs up', async () => {
  await expect(
    ask('SignUp', { ClientId: clientId, Username: email, Password: password }),
  ).rejects.toMatchObject({
    code: 'NotAuthorizedException',
  });
});

test('administration is authorized on the pool', async () => {
  await confirmedUser();
  cloud.deny = () => true;
  for (const operation of ['AdminCreateUser', 'AdminGetUser', 'AdminDeleteUser', 'AdminSetUserPassword'])
    await expect(admin(operation)).rejects.toMatchObject({ code: 'AccessDeniedException' });
  expect(cloud.authorizations.at(-1)).toMatchObject({
    principal: root.arn,
    action: 'cognito-idp:AdminSetUserPassword',
    resource: `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${poolId}`,
  });
  // Signing in needs no permission.
  expect((await signIn()).AuthenticationResult).toBeDefined();
});

test.each([
  ['AdminCreateUser', { Username: 'no email' }, 'InvalidParameterException'],
  ['AdminCreateUser', { UserAttributes: [{ Name: 'sub', Value: 'x' }] }, 'InvalidParameterException'],
  ['AdminCreateUser', { TemporaryPassword: 'weak' }, 'InvalidPasswordException'],
  ['AdminSetUserPassword', { Password: 'nouppercase-77' }, 'UserNotFoundException'],
  ['AdminGetUser', {}, 'UserNotFoundException'],
  ['AdminGetUser', { UserPoolId: 'us-east-1_none' }, 'ResourceNotFoundException'],
])('%s with %j is refused: %s', async (operation, input, code) => {
  await expect(admin(operation, input)).rejects.toMatchObject({ code });
});

test('of two invitations at the same time one is sent', async () => {
  const outcomes = await Promise.allSettled([admin('AdminCreateUser'), admin('AdminCreateUser')]);
  expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(readdirSync(join(cloud.home, 'outbox'))).toHaveLength(1);
});

test('O6 an invitation is sent again, with another password, until somebody has signed in', async () => {
  await expect(admin('AdminCreateUser', { MessageAction: 'RESEND' })).rejects.toMatchObject({
    code: 'UserNotFoundException',
  });
  const first = await admin('AdminCreateUser', { TemporaryPassword: 'First-password-7' });
  const again = await admin('AdminCreateUser', {
    TemporaryPassword: 'Second-password-7',
    MessageAction: 'RESEND',
  });
  expect(again.User.Username).toBe(first.User.Username);
  expect(readdirSync(join(cloud.home, 'outbox'))).toHaveLength(2);
  await expect(signIn('First-password-7')).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  expect(await signIn('Second-password-7')).toMatchObject({ ChallengeName: 'NEW_PASSWORD_REQUIRED' });
  await admin('AdminSetUserPassword', { Password: password, Permanent: true });
  await expect(admin('AdminCreateUser', { MessageAction: 'RESEND' })).rejects.toMatchObject({
    code: 'UnsupportedUserStateException',
  });
});

test('a second user with the same email is refused, whatever its case', async () => {
  await confirmedUser();
  await expect(admin('AdminCreateUser', { Username: 'ADA@acme.example' })).rejects.toMatchObject({
    code: 'UsernameExistsException',
  });
  await admin('AdminDeleteUser');
  await confirmedUser();
});

test('flows that the client does not allow are refused', async () => {
  await deploy({ ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'] });
  await expect(signIn()).rejects.toMatchObject({ code: 'InvalidParameterException' });
  const srp = ask('InitiateAuth', { ClientId: clientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: {} });
  await expect(srp).rejects.toMatchObject({ code: 'UnsupportedOperation' });
});

test('the issuer serves nothing else', () => {
  expect(cognito.serveIssuer('/us-east-1_other/.well-known/jwks.json')).toBeUndefined();
  expect(cognito.serveIssuer(`/${poolId}/.well-known/other`)).toBeUndefined();
  expect(cognito.serveIssuer('/')).toBeUndefined();
});

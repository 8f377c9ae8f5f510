/** What administrators do with users. */
import { AwsError, type JsonCall } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';
import { authorizedPool, authorizedUser, type CognitoAccess, members } from './access.ts';
import { composeInvitation, temporaryPassword } from './invitation.ts';
import { checkPassword, type Pool } from './pools.ts';
import type { User } from './users.ts';

const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message);

export function described(user: User, attributesName: 'Attributes' | 'UserAttributes'): object {
  return {
    Username: user.username,
    [attributesName]: Object.entries(user.attributes).map(([Name, Value]) => ({ Name, Value })),
    UserCreateDate: user.createdAt / 1000,
    UserLastModifiedDate: user.changedAt / 1000,
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}

function readAttributes(input: RequestMembers): Record<string, string> {
  const known = /^(email|email_verified|name|given_name|family_name|custom:[\w.-]{1,20})$/;
  const entries = input.structures('UserAttributes').map((attribute): [string, string] => {
    const name = attribute.string('Name', { max: 32 });
    if (name === 'sub') throw invalid('Cannot modify the non-mutable attribute sub');
    if (!known.test(name)) throw invalid(`Attribute does not exist in the schema: ${name}`);
    return [name, attribute.optionalString('Value', { max: 2048 }) ?? ''];
  });
  return Object.fromEntries(entries);
}

function readLogin(pool: Pool, username: string, attributes: Record<string, string>): string {
  if (!pool.byEmail) return username;
  if (!/^[^\s@]+@[^\s@]+$/.test(username)) throw invalid('Username should be an email.');
  if (attributes.email !== undefined && attributes.email.toLowerCase() !== username.toLowerCase())
    throw invalid('Username and email must be the same in a user pool that signs in by email.');
  return username;
}

/** Creates a user with a temporary password; unless `MessageAction` is SUPPRESS, their invitation goes out by mail. */
export async function adminCreateUser(access: CognitoAccess, call: JsonCall): Promise<object> {
  const pool = authorizedPool(access, call, 'AdminCreateUser');
  const input = members(call);
  const attributes = readAttributes(input);
  const username = input.string('Username', { max: 128, pattern: /^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u });
  const login = readLogin(pool, username, attributes);
  const action = input.optionalString('MessageAction', { pattern: /^(SUPPRESS|RESEND)$/ });
  const password = input.optionalString('TemporaryPassword', { max: 256 }) ?? temporaryPassword(pool.policy);
  checkPassword(pool.policy, password);
  const email = attributes.email ?? (pool.byEmail ? login : undefined);
  if (action !== 'SUPPRESS' && email === undefined)
    throw invalid('User has no email to deliver the invitation to.');
  const sendInvitation =
    action !== 'SUPPRESS' && email !== undefined
      ? await composeInvitation(access, pool, login, email, password)
      : () => undefined;
  const user = access.transaction(() => {
    const existing = access.users.find(pool, login);
    if (action === 'RESEND') {
      renewInvitation(access, existing, password);
      sendInvitation();
      return existing as User;
    }
    if (existing) throw new AwsError('UsernameExistsException', 'User account already exists');
    const known = { ...attributes, ...(email !== undefined && { email }) };
    const added = access.users.add(pool, login, known, password);
    // Together: nobody is there without having been told the password.
    sendInvitation();
    return added;
  });
  return { User: described(user, 'Attributes') };
}

/** Another temporary password, for as long as the first one would have been good. */
function renewInvitation(access: CognitoAccess, user: User | undefined, password: string): void {
  if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
  if (user.status !== 'FORCE_CHANGE_PASSWORD')
    throw new AwsError(
      'UnsupportedUserStateException',
      `Resend not possible. ${user.username} status is not FORCE_CHANGE_PASSWORD`,
    );
  access.users.setPassword(user, password, 'FORCE_CHANGE_PASSWORD');
}

export function adminGetUser(access: CognitoAccess, call: JsonCall): object {
  return described(authorizedUser(access, call, 'AdminGetUser').user, 'UserAttributes');
}

/** Sets a password; unless `Permanent`, the user must choose another at the next sign-in. */
export function adminSetUserPassword(access: CognitoAccess, call: JsonCall): object {
  const { pool, user } = authorizedUser(access, call, 'AdminSetUserPassword');
  const input = members(call);
  const password = input.string('Password', { max: 256 });
  checkPassword(pool.policy, password);
  access.users.setPassword(
    user,
    password,
    input.boolean('Permanent', false) ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD',
  );
  return {};
}

export function adminDeleteUser(access: CognitoAccess, call: JsonCall): object {
  access.users.remove(authorizedUser(access, call, 'AdminDeleteUser').user);
  return {};
}

export function adminSetEnabled(access: CognitoAccess, call: JsonCall, enabled: boolean): object {
  const { user } = authorizedUser(access, call, enabled ? 'AdminEnableUser' : 'AdminDisableUser');
  access.users.setEnabled(user, enabled);
  return {};
}

export function adminUserGlobalSignOut(access: CognitoAccess, call: JsonCall): object {
  access.users.signOut(authorizedUser(access, call, 'AdminUserGlobalSignOut').user);
  return {};
}

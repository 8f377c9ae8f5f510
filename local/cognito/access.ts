/** What the operations of pools share. */
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import type { Outbox } from '../ses/outbox.ts';
import type { Client, Pool } from './pools.ts';
import type { TokenIssuer } from './tokens.ts';
import type { User, UserStore } from './users.ts';

export interface CognitoAccess {
  pools: Map<string, Pool>;
  clients: Map<string, Client>;
  users: UserStore;
  tokens: TokenIssuer;
  outbox: Outbox;
  now(): Date;
  /** All or nothing, also with what goes into the outbox. */
  transaction<T>(work: () => T): T;
}

export const members = (call: JsonCall): RequestMembers =>
  new RequestMembers(call.input, 'InvalidParameterException');

/** The pool of an administrator's call, once they are found to be allowed `action` on it. */
export function authorizedPool(access: CognitoAccess, call: JsonCall, action: string): Pool {
  const id = members(call).string('UserPoolId', { max: 55, pattern: /^[\w-]+_[0-9a-zA-Z]+$/ });
  const pool = access.pools.get(id);
  if (!pool) throw new AwsError('ResourceNotFoundException', `User pool ${id} does not exist.`);
  call.authorize(`cognito-idp:${action}`, pool.arn);
  return pool;
}

export const noSuchUser = (): AwsError => new AwsError('UserNotFoundException', 'User does not exist.');

/** The user of an administrator's call. */
export function authorizedUser(
  access: CognitoAccess,
  call: JsonCall,
  action: string,
): { pool: Pool; user: User } {
  const pool = authorizedPool(access, call, action);
  const user = access.users.find(pool, members(call).string('Username', { max: 128 }));
  if (!user) throw noSuchUser();
  return { pool, user };
}

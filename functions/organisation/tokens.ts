/** O4: tokens for scripts. Everybody has their own; admins see and revoke everybody's. */
import type * as z from 'zod';
import type { Caller } from '../../shared/http/operation.ts';
import { conflict, invalid, notFound, ProblemError } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import { roles } from '../../shared/model/common.ts';
import type { newTokenSchema, Token, tokenListQuery } from '../../shared/model/organisation.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import { ConditionFailedError } from '../../shared/store/table.ts';
import {
  addToken,
  allTokens,
  getToken,
  removeToken,
  type TokenRecord,
  tokenHash,
  tokenText,
  toToken,
} from '../../shared/store/tokens.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

type Dependencies = Pick<OrganisationDependencies, 'table' | 'tokenKey'>;

/** Tokens that make tokens that make tokens: the authorizer reads a token's makers with every answer that it gives. */
const mostMakers = 8;

const maySee = (caller: Caller, token: TokenRecord): boolean =>
  caller.role === 'admin' || token.memberId === caller.memberId;

export async function listTokens(
  { table }: Pick<Dependencies, 'table'>,
  caller: Caller,
  { memberId, ...page }: z.output<typeof tokenListQuery>,
): Promise<{ items: Token[]; nextCursor?: string }> {
  const visible = (await allTokens(table, caller.organisation)).filter((token) => maySee(caller, token));
  return smallPage(visible.map(toToken), {
    ...page,
    organisation: caller.organisation,
    collection: 'tokens',
    filters: { memberId },
    searched: [],
  });
}

/** Throws 404, also for somebody else's token. */
export async function requireToken(
  { table }: Pick<Dependencies, 'table'>,
  caller: Caller,
  id: string,
): Promise<TokenRecord> {
  const token = await getToken(table, caller.organisation, id);
  if (!token || !maySee(caller, token)) throw notFound('token');
  return token;
}

/** The caller may still be let in by the gateway's cache when the token that they came with is no more. */
const revoked = () =>
  new ProblemError(403, 'token-revoked', 'This token, or a token that it comes from, was revoked.');

/** Makers of what the caller makes: their token and its makers; none for a sign-in. Throws 403, 409. */
async function makersOf(
  { table }: Pick<Dependencies, 'table'>,
  { organisation, tokenId }: Caller,
): Promise<{ makers?: string[] }> {
  if (tokenId === undefined) return {};
  const maker = await getToken(table, organisation, tokenId);
  if (!maker) throw revoked();
  const makers = [tokenId, ...(maker.makers ?? [])];
  if (makers.length > mostMakers)
    throw conflict(
      'too-many-makers',
      `This token comes from a chain of ${mostMakers} tokens, which is the limit. Sign in to create another token.`,
    );
  return { makers };
}

/**
 * The token's text is in the answer and nowhere else. Throws 422 for a role above the caller's, and for an end after
 * that of the token that asks: what is lent for a while must not make itself permanent. For the same reason it goes
 * with the token that asks: `table` refuses its record (403) where that is gone.
 */
export async function createToken(
  { table, tokenKey }: Dependencies,
  { caller, now }: Asking,
  id: string,
  { title, role = caller.role, expiresInDays }: z.output<typeof newTokenSchema>,
): Promise<{ record: TokenRecord; token: string }> {
  if (roles.indexOf(role) > roles.indexOf(caller.role))
    throw invalid({ pointer: '/role', message: `must not be above your own role, ${caller.role}` });
  const endsAt =
    expiresInDays === undefined
      ? caller.tokenEndsAt
      : new Date(now.getTime() + expiresInDays * 86_400_000).toISOString();
  if (endsAt !== undefined && caller.tokenEndsAt !== undefined && endsAt > caller.tokenEndsAt)
    throw invalid({
      pointer: '/expiresInDays',
      message: `must not be later than the end of your own token, ${caller.tokenEndsAt}`,
    });
  const token = tokenText(caller.organisation, id);
  const hash = tokenHash(await tokenKey(), token);
  const record = {
    id,
    title,
    memberId: caller.memberId,
    email: caller.email,
    role,
    hash,
    createdAt: now.toISOString(),
    ...(endsAt === undefined ? {} : { endsAt }),
  };
  const makers = await makersOf({ table }, caller);
  // A first try with the same idempotency key may have written it and died before anybody saw its text.
  return { record: await addToken(table, caller.organisation, { ...record, ...makers }), token };
}

/** Revokes a token with all that come from it. Throws 403 where a token would revoke one that may do more, 404, 412. */
export async function revokeToken(
  { table }: Pick<Dependencies, 'table'>,
  { caller, ifMatch }: Asking,
  id: string,
): Promise<void> {
  const token = await requireToken({ table }, caller, id);
  if (caller.tokenId !== undefined && roles.indexOf(token.role) > roles.indexOf(caller.role))
    throw new ProblemError(
      403,
      'role-required',
      `A token can only revoke tokens of its own role or a lower one. That token's role is ${token.role}; yours is ${caller.role}.`,
    );
  requireMatch({ ifMatch }, token.version);
  try {
    await removeToken(table, caller.organisation, token);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    if (error.existing)
      throw new ProblemError(412, 'stale', 'The token has changed since you read it. Read it again.');
  }
}

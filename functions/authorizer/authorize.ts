/** Who a bearer token belongs to: logic on plain arguments, with its readers passed in. */
import type { Caller } from '../../shared/http/operation.ts';
import type { Role } from '../../shared/model/common.ts';
import { lowerRole, tokenActsFor } from '../../shared/store/confirm-caller.ts';
import type { MemberRecord } from '../../shared/store/members.ts';
import { readToken, type TokenRecord, tokenMatches } from '../../shared/store/tokens.ts';

export interface AuthorizeDependencies {
  /** Organisations of the stage, in its order. */
  organisations: readonly string[];
  findMember(organisation: string, memberId: string): Promise<MemberRecord | undefined>;
  findToken(organisation: string, id: string): Promise<TokenRecord | undefined>;
  tokenKey(): Promise<string>;
  /** Member id of an access token's subject; undefined for a token that isn't good. */
  verifyAccessToken(text: string): Promise<string | undefined>;
}

/** The caller, or undefined: why a token isn't good is nobody's business but the log's. */
export async function authorize(
  dependencies: AuthorizeDependencies,
  authorization: string | undefined,
  now: Date,
): Promise<Caller | undefined> {
  const text = /^Bearer +([^\s]+)$/i.exec(authorization?.trim() ?? '')?.[1];
  if (!text) return undefined;
  return text.startsWith('slp_')
    ? await bySlipwayToken(dependencies, text, now)
    : await byAccessToken(dependencies, text);
}

async function bySlipwayToken(
  { organisations, findToken, findMember, tokenKey }: AuthorizeDependencies,
  text: string,
  now: Date,
): Promise<Caller | undefined> {
  const named = readToken(text);
  // An organisation that left the stage has no way in, whatever the table still holds.
  if (!named || !organisations.includes(named.organisation)) return undefined;
  const token = await findToken(named.organisation, named.id);
  if (!token || !tokenMatches(token, await tokenKey(), text, now)) return undefined;
  const [member, ...makers] = await Promise.all([
    findMember(named.organisation, token.memberId),
    ...(token.makers ?? []).map((id) => findToken(named.organisation, id)),
  ]);
  if (!member || !tokenActsFor(token, member, makers)) return undefined;
  return {
    ...callerOf(named.organisation, member, lowerRole(token.role, member.role)),
    tokenId: token.id,
    ...(token.endsAt === undefined ? {} : { tokenEndsAt: token.endsAt }),
  };
}

/**
 * A subject's organisation is found by asking each organisation of the stage for the one key that its member record
 * would have. Somebody who is in several is in the one that they joined first, so that an invitation from elsewhere
 * never changes what an existing sign-in means; the others are reached by Slipway tokens, which name theirs.
 */
async function byAccessToken(
  { organisations, findMember, verifyAccessToken }: AuthorizeDependencies,
  text: string,
): Promise<Caller | undefined> {
  const memberId = await verifyAccessToken(text);
  if (memberId === undefined) return undefined;
  const found = await Promise.all(
    organisations.map(async (organisation) => ({
      organisation,
      member: await findMember(organisation, memberId),
    })),
  );
  const memberships = found.flatMap(({ organisation, member }) => (member ? [{ organisation, member }] : []));
  const first = memberships.sort((a, b) => (a.member.createdAt < b.member.createdAt ? -1 : 1))[0];
  return first && callerOf(first.organisation, first.member, first.member.role);
}

const callerOf = (organisation: string, { id, email }: MemberRecord, role: Role): Caller => ({
  organisation,
  memberId: id,
  email,
  role,
});

/** Who a bearer token belongs to: logic on plain arguments, with its readers passed in. */
import type { Caller, Identity } from '../../shared/http/operation.ts';
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
): Promise<Identity | undefined> {
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
 * would have. A person who is in several names the one that they mean with each request, unless all but one invited them
 * when they had signed in before: no invitation from elsewhere changes what an existing sign-in means, and none decides
 * for a newcomer.
 */
async function byAccessToken(
  { organisations, findMember, verifyAccessToken }: AuthorizeDependencies,
  text: string,
): Promise<Identity | undefined> {
  const memberId = await verifyAccessToken(text);
  if (memberId === undefined) return undefined;
  const found = await Promise.all(
    organisations.map(async (organisation) => {
      const member = await findMember(organisation, memberId);
      return member
        ? [{ byNameOnly: member.byNameOnly, ...callerOf(organisation, member, member.role) }]
        : [];
    }),
  );
  const all = found.flat();
  const memberships = all.map(({ byNameOnly: _, ...caller }) => caller);
  if (memberships.length <= 1) return memberships[0];
  const meant = all.filter(({ byNameOnly }) => !byNameOnly).map(({ organisation }) => organisation);
  const unnamed =
    meant.length === 1 ? memberships.find(({ organisation }) => organisation === meant[0]) : undefined;
  return { ...(unnamed ?? { organisation: '', memberId, email: '', role: 'viewer' }), memberships };
}

const callerOf = (organisation: string, { id, email }: MemberRecord, role: Role): Caller => ({
  organisation,
  memberId: id,
  email,
  role,
});

/** From a bearer token to who it stands for. Organisation, address and role are the member record's, never a claim's. */
import { type Role, roles } from '../../shared/model/common.ts';
import { getMember, type MemberRecord, memberIdOf } from '../../shared/store/members.ts';
import type { Table } from '../../shared/store/table.ts';
import { getToken, readToken, tokenMatches } from '../../shared/store/tokens.ts';
import type { OidcVerifier } from './oidc.ts';

/** A type, not an interface: the gateway's context is a plain dictionary. */
export type Identity = { organisation: string; memberId: string; email: string; role: Role };

export interface IdentifyDependencies {
  table: Table;
  oidc: OidcVerifier;
  /** As in the `iss` claim. */
  issuer: string;
  /** Organisations of the stage, in their order. */
  organisations: string[];
  /** Key of the deployment's token hashes. */
  tokenKey(): Promise<string>;
}

/** `authorization` is the request's header; undefined for whoever is nobody here. */
export async function identify(
  authorization: string | undefined,
  now: Date,
  dependencies: IdentifyDependencies,
): Promise<Identity | undefined> {
  const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  return token.startsWith('slp_')
    ? ofSlipwayToken(token, now, dependencies)
    : ofOidcToken(token, now, dependencies);
}

async function ofSlipwayToken(
  text: string,
  now: Date,
  { table, organisations, tokenKey }: IdentifyDependencies,
): Promise<Identity | undefined> {
  const named = readToken(text);
  if (!named || !organisations.includes(named.organisation)) return undefined;
  const { organisation, id } = named;
  const [record, key] = await Promise.all([getToken(table, organisation, id), tokenKey()]);
  if (!record || !tokenMatches(record, key, text, now)) return undefined;
  const member = await getMember(table, organisation, record.memberId);
  return member && identityOf(organisation, member, lesser(record.role, member.role));
}

/**
 * A person belongs to the first organisation of the stage that has them as a member: one read each, so that no
 * partition exists that knows of more than one organisation.
 */
async function ofOidcToken(
  text: string,
  now: Date,
  { table, oidc, issuer, organisations }: IdentifyDependencies,
): Promise<Identity | undefined> {
  const subject = await oidc.subjectOf(text, now);
  if (subject === undefined) return undefined;
  const id = memberIdOf(issuer, subject);
  const found = await Promise.all(organisations.map((organisation) => getMember(table, organisation, id)));
  const at = found.findIndex((member) => member !== undefined);
  const [organisation, member] = [organisations[at], found[at]];
  return organisation && member ? identityOf(organisation, member, member.role) : undefined;
}

const identityOf = (organisation: string, { id, email }: MemberRecord, role: Role): Identity => ({
  organisation,
  memberId: id,
  email,
  role,
});

const lesser = (a: Role, b: Role): Role => (roles.indexOf(a) < roles.indexOf(b) ? a : b);

/** O6: members; who may do what is O3. */
import type * as z from 'zod';
import type { PoolUser } from '../../shared/aws/user-pool.ts';
import { conflict, invalid, notFound } from '../../shared/http/problem.ts';
import { requireMatch } from '../../shared/http/serve.ts';
import type { Role } from '../../shared/model/common.ts';
import type { Member, memberListQuery, newMemberSchema } from '../../shared/model/organisation.ts';
import { pauseAfter } from '../../shared/store/contention.ts';
import {
  addMember,
  allMembers,
  changeMember,
  getMember,
  type MemberRecord,
  memberIdOf,
  toMember,
} from '../../shared/store/members.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import { ConditionFailedError } from '../../shared/store/table.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';
import { invitationMail } from './invitation.ts';

type Dependencies = Pick<
  OrganisationDependencies,
  'table' | 'stage' | 'issuer' | 'userPool' | 'audience' | 'mail' | 'apiUrl' | 'region' | 'log'
>;

/** Members are few: lists read them whole. */
const mostPerOrganisation = 1000;
const attempts = 5;

export async function listMembers(
  { table }: Pick<Dependencies, 'table'>,
  organisation: string,
  { role, ...page }: z.output<typeof memberListQuery>,
): Promise<{ items: Member[]; nextCursor?: string }> {
  const all = (await allMembers(table, organisation)).map(toMember);
  return smallPage(all, {
    ...page,
    organisation,
    collection: 'members',
    filters: { role },
    searched: ['email'],
  });
}

/** Throws a 404 problem. */
export async function requireMember(
  { table }: Pick<Dependencies, 'table'>,
  organisation: string,
  id: string,
): Promise<MemberRecord> {
  const member = await getMember(table, organisation, id);
  if (!member) throw notFound('member');
  return member;
}

/**
 * Invites a person by mail. With Slipway's user pool Cognito says who they are; with an issuer of the operator's
 * own, the admin says so, since no claim that a person could write about themselves may decide it.
 * Throws 409 for a member, 422 where `subject` is missing or out of place.
 */
export async function inviteMember(
  dependencies: Dependencies,
  { caller, now }: Asking,
  { email, role, subject: given }: z.output<typeof newMemberSchema>,
): Promise<{ member: MemberRecord; warnings?: string[] }> {
  const { table, issuer, userPool } = dependencies;
  if (userPool && given !== undefined)
    throw invalid({
      pointer: '/subject',
      message: "must be omitted: this deployment uses Slipway's user pool, which assigns it",
    });
  if (!userPool && given === undefined)
    throw invalid({ pointer: '/subject', message: `is required. Give the person's \`sub\` at ${issuer}` });
  const { organisation } = caller;
  const address = email.toLowerCase();
  const members = await allMembers(table, organisation);
  if (members.some((one) => one.email.toLowerCase() === address && one.createdAt !== now.toISOString()))
    throw conflict('member-exists', `${address} is already a member.`);
  if (members.length >= mostPerOrganisation)
    throw conflict('too-many-members', `An organisation can have at most ${mostPerOrganisation} members.`);
  const user = await userPool?.ensure(address);
  const subject = given ?? user?.subject ?? '';
  const time = now.toISOString();
  const record = {
    id: memberIdOf(issuer, subject),
    subject,
    email: address,
    role,
    ...(user?.hasSignedIn ? { byNameOnly: true as const } : {}),
    createdAt: time,
    createdBy: caller.email,
    updatedAt: time,
  };
  const member = await addOrFind({ table }, organisation, record);
  const warnings = await sendInvitation(dependencies, { ...member, organisation }, user);
  return { member, warnings };
}

/** The member is there whatever becomes of the mail: answers what the admin has to tell the person themselves. */
async function sendInvitation(
  { stage, issuer, userPool, audience, mail, apiUrl, region, log }: Dependencies,
  { email, role, createdBy, organisation: id }: MemberRecord & { organisation: string },
  user: PoolUser | undefined,
): Promise<string[] | undefined> {
  try {
    await mail.send(
      invitationMail({
        email,
        role,
        invitedBy: createdBy,
        organisation: { id, title: stage.organisations.find((one) => one.id === id)?.title ?? id },
        apiUrl,
        issuer,
        pool: user && { user, clientId: audience, region },
      }),
    );
    return undefined;
  } catch (error) {
    log.warn('SES refused an invitation', { email, error });
  }
  // Cognito has mail of its own, which reaches addresses that SES does not know in its sandbox.
  if (userPool && user && !user.hasSignedIn) {
    await userPool.mailInvitation(email);
    return undefined;
  }
  return [`SES refused to send the invitation to ${email}. Tell them the address: ${apiUrl}`];
}

/** A repeated request finds what its first try wrote; anybody else's member is a conflict. */
async function addOrFind(
  { table }: Pick<Dependencies, 'table'>,
  organisation: string,
  record: Parameters<typeof addMember>[2],
): Promise<MemberRecord> {
  const existing = await getMember(table, organisation, record.id);
  if (existing && existing.createdAt === record.createdAt && existing.createdBy === record.createdBy)
    return existing;
  return await addMember(table, organisation, record);
}

/** `role` undefined removes the member. Throws 404, 409 for the last admin, 412. */
export async function changeRole(
  { table }: Pick<Dependencies, 'table'>,
  { caller: { organisation }, now, ifMatch }: Asking,
  id: string,
  role: Role | undefined,
): Promise<MemberRecord | undefined> {
  for (let attempt = 1; ; attempt++) {
    const member = await requireMember({ table }, organisation, id);
    requireMatch({ ifMatch }, member.version);
    if (member.role === role) return member;
    try {
      return await changeMember(table, organisation, member, role, now.toISOString());
    } catch (error) {
      // Somebody changed this member, or the admin who was to remain: look again.
      if (!(error instanceof ConditionFailedError) || attempt >= attempts) throw error;
      await pauseAfter(attempt);
    }
  }
}

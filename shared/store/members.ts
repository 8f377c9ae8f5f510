/**
 * Members. An id is made from issuer and subject, so that who signs in is found by one read, and no second item
 * has to agree with the first.
 */
import { createHash } from 'node:crypto';
import { conflict } from '../http/problem.ts';
import type { Role } from '../model/common.ts';
import { crockford } from '../model/id.ts';
import type { Member } from '../model/organisation.ts';
import { putWrite } from './advance.ts';
import { absent, ConditionFailedError, conditionInput, type Item, type Table, versionIs } from './table.ts';

export interface MemberRecord extends Item {
  id: string;
  /** `sub` at the identity provider. */
  subject: string;
  email: string;
  role: Role;
  createdAt: string;
  /** The person had signed in before they were invited: their sign-in reaches this organisation only where it is named. */
  byNameOnly?: true;
  /** Email of the admin who invited, or `slipway` for the first admin. */
  createdBy: string;
  updatedAt: string;
  version: number;
}

/** Spelled out, since `Omit` of an open record forgets its fields. */
export type NewMemberRecord = Pick<
  MemberRecord,
  'id' | 'subject' | 'email' | 'role' | 'byNameOnly' | 'createdAt' | 'createdBy' | 'updatedAt'
>;

/** `issuer` as in the `iss` claim, `subject` as in `sub`. */
export function memberIdOf(issuer: string, subject: string): string {
  return `mem_${crockford(createHash('sha256').update(`${issuer}\n${subject}`).digest(), 26)}`;
}

export const toMember = ({ id, email, role, createdAt, createdBy, updatedAt }: MemberRecord): Member => ({
  id,
  email,
  role,
  createdAt,
  createdBy,
  updatedAt,
});

export async function getMember(
  table: Table,
  organisation: string,
  id: string,
): Promise<MemberRecord | undefined> {
  return (await table.get(organisation, 'members', id)) as MemberRecord | undefined;
}

/** Throws a 409 problem where the person is already a member. */
export async function addMember(
  table: Table,
  organisation: string,
  member: NewMemberRecord,
): Promise<MemberRecord> {
  const record = { ...member, version: 1 } as MemberRecord;
  try {
    await table.put(organisation, 'members', record.id, record, absent);
    return record;
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    throw conflict('member-exists', `${member.email} is already a member.`);
  }
}

/** All members, in the order of their ids. */
export async function allMembers(table: Table, organisation: string): Promise<MemberRecord[]> {
  return (await table.all(organisation, 'members')) as MemberRecord[];
}

/**
 * Gives `member` another role, or removes it (`role` undefined). An admin only stops being one in a transaction that
 * finds another admin still in place, so two who remove each other at the same time can't both succeed.
 * Throws a 409 problem for the last admin, `ConditionFailedError` where the member changed since it was read.
 */
export async function changeMember(
  table: Table,
  organisation: string,
  member: MemberRecord,
  role: Role | undefined,
  updatedAt: string,
): Promise<MemberRecord | undefined> {
  const key = table.key(organisation, 'members', member.id);
  const next = role && { ...member, ...key, role, updatedAt, version: member.version + 1 };
  const unchanged = versionIs(member.version);
  const write = next
    ? putWrite(table, next, unchanged)
    : { Delete: { TableName: table.name, Key: key, ...conditionInput(unchanged) } };
  const needsAnother = member.role === 'admin' && role !== 'admin';
  if (!needsAnother) {
    await table.transact([write]);
    return next;
  }
  const others = (await allMembers(table, organisation)).filter(
    (one) => one.role === 'admin' && one.id !== member.id,
  );
  const other = others[0];
  if (!other)
    throw conflict('last-admin', 'An organisation must have an admin. Make another member an admin first.');
  await table.transact([
    write,
    {
      ConditionCheck: {
        TableName: table.name,
        Key: table.key(organisation, 'members', other.id),
        ...conditionInput({
          expression: '#role = :admin',
          names: { '#role': 'role' },
          values: { ':admin': 'admin' },
        }),
      },
    },
  ]);
  return next;
}

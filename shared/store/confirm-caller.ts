/**
 * Whether a caller may still do what the authorizer let them do. Its answer is cached for a minute, in which a member may
 * be removed, a role lowered, a token revoked. Writes look again: first by a strongly consistent read, and where it
 * matters most once more in the same transaction as the write.
 */
import type { Caller } from '../http/operation.ts';
import { busy, ProblemError } from '../http/problem.ts';
import { type Role, roles } from '../model/common.ts';
import { putWrite } from './advance.ts';
import { pauseAfter } from './contention.ts';
import type { MemberRecord } from './members.ts';
import {
  type Condition,
  ConditionFailedError,
  conditionInput,
  type Item,
  present,
  type Table,
  type Write,
} from './table.ts';
import type { TokenRecord } from './tokens.ts';

const attempts = 5;

/** A caller whose records were just read. */
export interface ConfirmedCaller extends Caller {
  /** Ids of the tokens that made the caller's token, the nearest first. */
  makers: readonly string[];
  /** When the membership began that they act by. */
  memberSince: string;
}

/** Whether `token` still acts for `member`: it ends with the membership and with each of its makers. */
export function tokenActsFor(
  token: TokenRecord,
  member: MemberRecord,
  makers: readonly (TokenRecord | undefined)[],
): boolean {
  // What a member made before they left and came back stays useless.
  return token.memberId === member.id && token.createdAt >= member.createdAt && !makers.includes(undefined);
}

export const lowerRole = (a: Role, b: Role): Role => (roles.indexOf(a) < roles.indexOf(b) ? a : b);

/**
 * Reads the caller's member, token and the token's makers. Their role is what it is now, and never above what the
 * authorizer said. Throws 403 for a caller who may do nothing here any more.
 */
export async function confirmCaller(table: Table, caller: Caller, now: Date): Promise<ConfirmedCaller> {
  const { organisation, memberId, tokenId } = caller;
  const [member, token] = (await table.getAll(organisation, [
    ['members', memberId],
    ...(tokenId === undefined ? [] : [['tokens', tokenId] as const]),
  ])) as [MemberRecord | undefined, TokenRecord | undefined];
  if (!member) throw new ProblemError(403, 'forbidden', 'You are no longer a member of this organisation.');
  const confirmed = { ...caller, memberSince: member.createdAt, makers: token?.makers ?? [] };
  if (tokenId === undefined) return { ...confirmed, role: lowerRole(caller.role, member.role) };
  const makers = await table.getAll(
    organisation,
    confirmed.makers.map((id) => ['tokens', id] as const),
  );
  if (!token || !tokenActsFor(token, member, makers as (TokenRecord | undefined)[]))
    throw new ProblemError(403, 'token-revoked', 'This token, or a token that it comes from, was revoked.');
  if (token.endsAt !== undefined && now.getTime() >= Date.parse(token.endsAt))
    throw new ProblemError(403, 'token-expired', 'This token has expired.');
  return { ...confirmed, role: lowerRole(caller.role, lowerRole(token.role, member.role)) };
}

/**
 * `table`, whose first write is refused (403) unless the caller's member, token and makers are in the state that
 * `confirmCaller` found: it is one transaction with conditions on them. What follows only finishes what was begun.
 */
export function asCaller(table: Table, caller: ConfirmedCaller, now: () => Date): Table {
  let hasBegun = false;
  const transact: Table['transact'] = async (writes, token) => {
    if (hasBegun) return await table.transact(writes, token);
    const guarded = withConditions(table, writes, callerConditions(table, caller, now()));
    for (let attempt = 1; ; attempt++) {
      try {
        await table.transact(guarded, token);
        hasBegun = true;
        return;
      } catch (error) {
        if (!(error instanceof ConditionFailedError)) throw error;
        const { role } = await confirmCaller(table, caller, now());
        if (role !== caller.role) throw roleRequired(caller.role, role);
        if (!error.isContention) throw error;
        // Requests of one caller meet on the caller's own records; none of them has lost anything.
        if (attempt >= attempts)
          throw busy('Too many of your changes are in progress at the same time. Try again.');
        await pauseAfter(attempt);
      }
    }
  };
  return {
    ...table,
    transact,
    put: (...[organisation, collection, sk, item, condition]) =>
      hasBegun
        ? table.put(organisation, collection, sk, item, condition)
        : transact([putWrite(table, { ...item, ...table.key(organisation, collection, sk) }, condition)]),
    remove: (...[organisation, collection, sk, condition]) =>
      hasBegun
        ? table.remove(organisation, collection, sk, condition)
        : transact([removal(table, table.key(organisation, collection, sk), condition)]),
  };
}

const removal = (table: Table, Key: Item, condition?: Condition): Write => ({
  Delete: {
    TableName: table.name,
    Key,
    ...conditionInput(condition),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

export const roleRequired = (needed: Role, has: Role) =>
  new ProblemError(403, 'role-required', `This operation requires the role ${needed}. Your role is ${has}.`);

interface Requirement {
  key: { pk: string; sk: string };
  condition: Condition;
}

function callerConditions(table: Table, caller: ConfirmedCaller, now: Date): Requirement[] {
  const { organisation, memberId, tokenId, memberSince, makers } = caller;
  const enough = roles.slice(roles.indexOf(caller.role));
  const keyOf = (id: string) => table.key(organisation, 'tokens', id);
  return [
    {
      key: table.key(organisation, 'members', memberId),
      condition: {
        expression: `#callerSince = :callerSince AND #callerRole IN (${enough.map((_, i) => `:callerRole${i}`)})`,
        names: { '#callerSince': 'createdAt', '#callerRole': 'role' },
        values: {
          ':callerSince': memberSince,
          ...Object.fromEntries(enough.map((role, i) => [`:callerRole${i}`, role])),
        },
      },
    },
    ...(tokenId === undefined
      ? []
      : [
          {
            key: keyOf(tokenId),
            condition: {
              expression: 'attribute_exists(pk) AND (attribute_not_exists(endsAt) OR endsAt > :callerNow)',
              values: { ':callerNow': now.toISOString() },
            },
          },
        ]),
    ...makers.map((id) => ({ key: keyOf(id), condition: present })),
  ];
}

const nameOf = ({ pk, sk }: Item) => JSON.stringify([pk, sk]);

/** DynamoDB takes one operation on an item in a transaction: a condition joins the operation that is there already. */
function withConditions(table: Table, writes: Write[], requirements: Requirement[]): Write[] {
  const conditions = new Map(requirements.map(({ key, condition }) => [nameOf(key), condition]));
  const written = new Set<string>();
  const joined = writes.map((write) => {
    const name = nameOf(
      write.Put?.Item ?? write.Update?.Key ?? write.Delete?.Key ?? write.ConditionCheck?.Key ?? {},
    );
    const condition = conditions.get(name);
    if (!condition) return write;
    written.add(name);
    if (write.Put) return { Put: both(write.Put, condition) };
    if (write.Update) return { Update: both(write.Update, condition) };
    if (write.Delete) return { Delete: both(write.Delete, condition) };
    return { ConditionCheck: both(write.ConditionCheck ?? {}, condition) } as Write;
  });
  const checks = requirements
    .filter(({ key }) => !written.has(nameOf(key)))
    .map(({ key, condition }) => ({
      ConditionCheck: { TableName: table.name, Key: key, ...conditionInput(condition) },
    }));
  return [...joined, ...checks];
}

type Conditional = Partial<ReturnType<typeof conditionInput>>;

function both<T extends Conditional>(operation: T, { expression, names, values }: Condition): T {
  const { ConditionExpression: own } = operation;
  const merged = {
    expression: own === undefined ? expression : `(${own}) AND (${expression})`,
    names: { ...operation.ExpressionAttributeNames, ...names },
    values: { ...operation.ExpressionAttributeValues, ...values },
  };
  return {
    ...operation,
    ConditionExpression: merged.expression,
    ExpressionAttributeNames: orNone(merged.names),
    ExpressionAttributeValues: orNone(merged.values),
  };
}

/** DynamoDB refuses maps without entries. */
const orNone = <T extends object>(map: T): T | undefined => (Object.keys(map).length > 0 ? map : undefined);

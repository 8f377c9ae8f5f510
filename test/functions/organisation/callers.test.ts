/** Those who lost their rights within the minute for which the gateway keeps the authorizer's answer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import * as organisationContract from '../../../functions/organisation/contract.ts';
import * as registriesContract from '../../../functions/registries/contract.ts';
import { implement, type Operation } from '../../../shared/http/operation.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createTable, type Table } from '../../../shared/store/table.ts';
import { calledFunction } from '../called.ts';
import { type Call, call, memoryLog } from '../event.ts';
import { registriesService } from '../registries/service.ts';
import { organisationService } from './service.ts';

interface Parts {
  table?: Table;
}

const { deployment, caller, ask, serveWith } = calledFunction((at, { table = at.table }: Parts = {}) => {
  const services = [organisationService({ ...at, table }), registriesService({ ...at, table })];
  const [ours, registries] = services.map(({ handler }) => handler);
  const isOfRegistries = (route: string) => route.startsWith('/v1/registries');
  return {
    handler: ((event, context) =>
      (isOfRegistries(event.routeKey.split(' ')[1] ?? '') ? registries : ours)?.(
        event,
        context,
      )) as ReturnType<typeof serve>,
  };
});

const bob = 'mem_0000000000000000000000000b';
const quay = { title: 'Quay', url: 'https://quay.io/team', type: 'quay', username: 'robot', password: 'x' };

/** Every operation that takes an admin, and those of others that change who may do what, or secrets. */
const operations: Record<string, () => Promise<Partial<Call>> | Partial<Call>> = {
  putSettings: () => ({ body: { defaultImage: 'python:3.13' } }),
  updateSettings: () => ({ body: { launchGate: 'off', defaultImage: 'python:3.13' } }),
  inviteMember: () => ({ body: { email: `eve${caller().organisation}@acme.example`, role: 'admin' } }),
  updateMember: () => ({ params: { id: bob }, body: { role: 'admin' } }),
  removeMember: () => ({ params: { id: bob } }),
  createRegistry: () => ({ body: { ...quay, check: false } }),
  updateRegistry: async () => ({ params: { id: await registry() }, body: { title: 'Mine' } }),
  deleteRegistry: async () => ({ params: { id: await registry() } }),
  createToken: () => ({ body: { title: 'mine' } }),
  revokeToken: async () => ({ params: { id: await token() } }),
  putSecret: () => ({ params: { name: 'pypi-token' }, body: { value: 'stolen' } }),
  deleteSecret: async () => {
    await ask('PUT', '/v1/secrets/{name}', { params: { name: 'theirs' }, body: { value: 'x' } });
    return { params: { name: 'theirs' } };
  },
};

const created = async (route: string, body: object, as = caller()): Promise<string> => {
  const answer = await ask('POST', route, { body, caller: as });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.id;
};
const registry = () => created('/v1/registries', { ...quay, check: false });
const token = (as = caller()) => created('/v1/tokens', { title: 'theirs' }, as);

const contracts: Record<string, unknown> = { ...organisationContract, ...registriesContract };
const isOperation = (one: unknown): one is Operation =>
  typeof one === 'object' && one !== null && 'method' in one && 'role' in one;
const declared = Object.values(contracts).filter(isOperation);
const names = Object.keys(operations);

/** Ways to lose one's rights; those of tokens need a caller with one. */
const losses: Record<string, (table: Table, tokens: string[]) => Promise<void>> = {
  'their membership': (table) => table.remove(caller().organisation, 'members', caller().memberId),
  'their role': (table) => change(table, 'members', caller().memberId, { role: 'viewer', version: 2 }),
  'their membership, and joined again': (table) =>
    change(table, 'members', caller().memberId, { createdAt: new Date().toISOString() }),
  'their token': (table, [mine = '']) => table.remove(caller().organisation, 'tokens', mine),
  "their token's maker": (table, [, maker = '']) => table.remove(caller().organisation, 'tokens', maker),
  'their token by its end': (table, [mine = '']) =>
    change(table, 'tokens', mine, { endsAt: '2026-11-20T08:00:00.000Z' }),
};

async function change(table: Table, collection: 'members' | 'tokens', id: string, fields: object) {
  const item = await table.get(caller().organisation, collection, id);
  await table.put(caller().organisation, collection, id, { ...item, ...fields });
}

/** Everything that the organisation has. */
async function everything(): Promise<unknown> {
  const { table } = deployment();
  const collections = ['settings', 'members', 'registries', 'tokens', 'secrets'] as const;
  return await Promise.all(collections.map((one) => table.all(caller().organisation, one)));
}

/** A caller with a token that a token made; asks for `name`. */
async function prepared(name: string) {
  const operation = declared.find(({ id }) => id === name);
  if (!operation) throw new Error(`no operation ${name}`);
  await ask('GET', '/v1/me');
  await deployment().table.put(caller().organisation, 'members', bob, {
    ...{ id: bob, subject: 'bob', email: 'bob@acme.example', role: 'editor', version: 1 },
    createdAt: '2026-11-20T08:00:00.000Z',
  });
  const request = await operations[name]?.();
  const maker = await token();
  const mine = await token({ ...caller(), tokenId: maker });
  const send = () =>
    ask(operation.method, operation.path, { ...request, caller: { ...caller(), tokenId: mine } });
  return { send, tokens: [mine, maker] };
}

/** The function with a table in which `loss` happens right before the next write. */
function losingBeforeItsWrite(loss: (table: Table) => Promise<void>): void {
  const client = new DynamoDBClient({ ...deployment().cloud.client });
  let isArmed = true;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (isArmed && /TransactWrite|Put|Delete|Update/.test(String(commandName))) {
          isArmed = false;
          await loss(deployment().table);
        }
        return await next(args);
      },
    { step: 'initialize' },
  );
  serveWith({ table: createTable('slipway', client) });
}

describe('who may not do it any more does not, though the gateway still lets them in', () => {
  it('every operation for admins is tried here', () => {
    const forAdmins = declared.filter(({ role }) => role === 'admin').map(({ id }) => id);
    expect(names).toEqual(expect.arrayContaining(forAdmins));
  });

  describe.each(names)('%s', (name) => {
    it.each(Object.keys(losses))('is refused to those who lost %s', async (loss) => {
      const isStillAllowed = loss === 'their role' && name === 'createToken';
      const { send, tokens } = await prepared(name);
      await losses[loss]?.(deployment().table, tokens);
      const before = await everything();
      const { status } = await send();
      // A viewer has tokens, too, of their own role.
      if (isStillAllowed) return expect(status).toBe(201);
      expect(status).toBe(403);
      expect(await everything()).toEqual(before);
    });

    it.each(Object.keys(losses))(
      'is refused to those who lose %s between the check and the write',
      async (loss) => {
        const { send, tokens } = await prepared(name);
        let before: unknown;
        losingBeforeItsWrite(async (table) => {
          await losses[loss]?.(table, tokens);
          before = await everything();
        });
        expect((await send()).status).toBe(403);
        expect(await everything()).toEqual(before);
      },
    );

    it('is granted otherwise, once more by the same token', async () => {
      const { send } = await prepared(name);
      expect([200, 201, 204]).toContain((await send()).status);
    });
  });
});

it('who lost the role of an admin revokes nobody else’s token', async () => {
  const theirs = await token({ ...caller(), memberId: bob });
  const answer = () => ask('DELETE', '/v1/tokens/{id}', { params: { id: theirs } });
  await change(deployment().table, 'members', caller().memberId, { role: 'editor' });
  expect((await answer()).status).toBe(404);
});

it('who was made viewer does not make themselves admin again, nor leave the organisation to nobody', async () => {
  const { memberId, organisation } = caller();
  await ask('GET', '/v1/me');
  await change(deployment().table, 'members', memberId, { id: memberId, role: 'viewer' });
  const own = { params: { id: memberId }, body: { role: 'admin' } };
  expect((await ask('PATCH', '/v1/members/{id}', own)).status).toBe(403);
  expect(await deployment().table.get(organisation, 'members', memberId)).toMatchObject({ role: 'viewer' });
});

it('changes of one admin at the same time all come through', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      ask('PUT', '/v1/secrets/{name}', { params: { name: `secret-${i}` }, body: { value: 'x' } }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
});

it('every writing operation confirms its caller, whatever function serves it', async () => {
  const asked = implement({ id: 'x', method: 'DELETE', path: '/v1/x', role: 'viewer' }, async () => ({
    status: 204,
  }));
  const { table } = deployment();
  const handler = serve([asked], { now: () => new Date(), table, log: memoryLog() });
  const request = { method: 'DELETE', route: '/v1/x', caller: caller() };
  expect(await call(handler, request)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('no longer a member') },
  });
  await ask('GET', '/v1/me');
  expect((await call(handler, request)).status).toBe(204);
});

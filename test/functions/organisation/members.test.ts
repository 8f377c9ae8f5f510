import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminSetUserPasswordCommand } from '@aws-sdk/client-cognito-identity-provider';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addMember,
  changeMember,
  getMember,
  type MemberRecord,
  memberIdOf,
} from '../../../shared/store/members.ts';
import { calledFunction } from '../called.ts';
import { type Call, call } from '../event.ts';
import { issuer, organisationService } from './service.ts';

const members = calledFunction(organisationService);
const { deployment, service, caller, callAs, serveWith } = members;

let first: MemberRecord;
beforeEach(async () => {
  first = await member(caller().organisation, 'ada', 'admin');
  callAs({ memberId: first.id });
});

async function member(organisation: string, name: string, role: 'viewer' | 'editor' | 'admin') {
  const time = '2026-11-21T08:00:00.000Z';
  return await addMember(deployment().table, organisation, {
    id: memberIdOf(issuer, `${organisation} ${name}`),
    subject: `${organisation} ${name}`,
    email: `${name}@acme.example`,
    role,
    createdAt: time,
    createdBy: 'slipway',
    updatedAt: time,
  });
}
const ask = ({ method, ...more }: Omit<Call, 'route'>) => members.ask(method, '/v1/members', more);
const one = (method: string, id: string, more: Partial<Call> = {}) =>
  members.ask(method, '/v1/members/{id}', { params: { id }, ...more });
const outbox = (home: string) =>
  readdirSync(join(home, 'outbox')).map((file) => readFileSync(join(home, 'outbox', file), 'utf8'));
const role = (id: string, role: string, more: Partial<Call> = {}) =>
  one('PATCH', id, { body: { role }, ...more });

describe('O6 inviting', () => {
  it('makes a person a member from then on', async () => {
    const email = `Grace${caller().organisation}@acme.example`;
    const seen = await ask({ method: 'POST', body: { email, role: 'editor' } });
    expect(seen).toMatchObject({
      status: 201,
      headers: { location: `/v1/members/${seen.body.id}`, etag: '"1"' },
      body: { email: email.toLowerCase(), role: 'editor', createdBy: 'ada@acme.example' },
    });
    const record = await getMember(deployment().table, caller().organisation, seen.body.id);
    expect(seen.body.id).toBe(memberIdOf(issuer, record?.subject ?? ''));
    expect((await ask({ method: 'GET', query: { sort: 'email' } })).body.items).toMatchObject([
      { email: 'ada@acme.example' },
      { email: email.toLowerCase() },
    ]);
  });

  it('refuses whoever is a member already, and repeats a repeated request', async () => {
    const request = {
      method: 'POST',
      body: { email: `x${caller().organisation}@acme.example`, role: 'viewer' },
    };
    const headers = { 'idempotency-key': 'k' };
    const invited = await ask({ ...request, headers });
    expect(await ask({ ...request, headers })).toMatchObject({ status: 201, body: invited.body });
    expect(await ask(request)).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:member-exists' },
    });
    expect((await ask({ method: 'POST', body: { email: 'ADA@acme.example', role: 'viewer' } })).status).toBe(
      409,
    );
  });

  it('invites again whoever never signed in and was removed meanwhile', async () => {
    const email = `late${caller().organisation}@acme.example`;
    const mails = () => outbox(deployment().cloud.home).filter((text) => text.includes(email)).length;
    const invited = await ask({ method: 'POST', body: { email, role: 'viewer' } });
    await expect.poll(mails).toBe(1);
    await one('DELETE', invited.body.id);
    const again = await ask({ method: 'POST', body: { email, role: 'editor' } });
    expect(again).toMatchObject({ status: 201, body: { id: invited.body.id, role: 'editor' } });
    await expect.poll(mails).toBe(2);
  });

  it('knows a person who is in another organisation already', async () => {
    const email = `shared${caller().organisation}@acme.example`;
    const here = await ask({ method: 'POST', body: { email, role: 'viewer' } });
    callAs({ organisation: 'elsewhere' });
    const there = await ask({ method: 'POST', body: { email, role: 'admin' } });
    expect(there).toMatchObject({ status: 201, body: { id: here.body.id, role: 'admin' } });
  });

  it('remembers of a person who had signed in that another organisation was there first', async () => {
    const { cognito, userPoolId, table } = deployment();
    const email = `known${caller().organisation}@acme.example`;
    const before = await ask({ method: 'POST', body: { email, role: 'viewer' } });
    const Password = 'Correct-horse-7';
    await cognito.send(
      new AdminSetUserPasswordCommand({ UserPoolId: userPoolId, Username: email, Password, Permanent: true }),
    );
    const elsewhere = `${caller().organisation}-elsewhere`;
    const by = { ...caller(), organisation: elsewhere };
    const after = await ask({ method: 'POST', body: { email, role: 'admin' }, caller: by });
    expect(await getMember(table, caller().organisation, before.body.id)).not.toHaveProperty('byNameOnly');
    expect(await getMember(table, elsewhere, after.body.id)).toHaveProperty('byNameOnly', true);
  });

  it('asks for the subject where the issuer is of the operator’s own, and only there', async () => {
    const body = { email: 'eve@acme.example', role: 'viewer' };
    expect((await ask({ method: 'POST', body: { ...body, subject: 'x' } })).body.errors).toMatchObject([
      { pointer: '/subject' },
    ]);
    serveWith({ userPool: undefined });
    expect((await ask({ method: 'POST', body })).body.errors).toMatchObject([{ pointer: '/subject' }]);
    const seen = await ask({ method: 'POST', body: { ...body, subject: 'auth0|7' } });
    expect(seen.body.id).toBe(memberIdOf(issuer, 'auth0|7'));
  });

  it.each([
    { email: 'nobody', role: 'viewer' },
    { email: 'a@b.example', role: 'owner' },
    { email: 'a@b.example' },
    {},
  ])('refuses %j', async (body) => {
    expect((await ask({ method: 'POST', body })).status).toBe(422);
  });
});

describe('O3, O6 roles', () => {
  it('are changed and taken away by admins', async () => {
    const { id } = await member(caller().organisation, 'bob', 'viewer');
    expect(await role(id, 'editor')).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { role: 'editor' },
    });
    expect((await role(id, 'admin', { headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect((await one('DELETE', id)).status).toBe(204);
    expect((await one('GET', id)).status).toBe(404);
    callAs({ role: 'editor' });
    expect((await one('DELETE', first.id)).status).toBe(403);
    expect((await ask({ method: 'GET' })).body.items).toHaveLength(1);
  });

  it('O6 never leave an organisation without an admin', async () => {
    const lastAdmin = { status: 409, body: { type: 'urn:slipway:problem:last-admin' } };
    expect(await one('DELETE', first.id)).toMatchObject(lastAdmin);
    expect(await role(first.id, 'viewer')).toMatchObject(lastAdmin);
    const { id } = await member(caller().organisation, 'bob', 'viewer');
    expect(await one('DELETE', first.id)).toMatchObject(lastAdmin);
    await role(id, 'admin');
    expect((await one('DELETE', first.id)).status).toBe(204);
    callAs({ memberId: id });
    expect(await one('DELETE', id)).toMatchObject(lastAdmin);
  });

  it('O6 nor when all admins go at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const organisation = `race${caller().organisation}-${round}`;
      const admins = await Promise.all(['a', 'b', 'c'].map((name) => member(organisation, name, 'admin')));
      const answers = await Promise.all(
        admins.map(({ id }, i) => {
          const by = { caller: { ...caller(), organisation, memberId: admins[(i + round) % 3]?.id ?? '' } };
          return i % 2 ? role(id, 'viewer', by) : one('DELETE', id, by);
        }),
      );
      callAs({ organisation });
      const { body } = await ask({ method: 'GET', query: { role: 'admin' } });
      expect(body.items.length).toBeGreaterThanOrEqual(1);
      // Who was removed first removes nobody any more.
      for (const { status } of answers) expect([200, 204, 403, 409]).toContain(status);
      expect(answers.filter(({ status }) => status >= 400).length).toBeGreaterThanOrEqual(1);
    }
  });

  it('are not changed on the word of a record that was read long ago', async () => {
    const bob = await member(caller().organisation, 'bob', 'admin');
    await role(bob.id, 'viewer');
    await expect(
      changeMember(deployment().table, caller().organisation, bob, undefined, '2026-11-21T10:00:00.000Z'),
    ).rejects.toThrow('not in the expected state');
  });
});

it('O3 me says who I am', async () => {
  const me = await call(service().handler, { method: 'GET', route: '/v1/me' });
  expect(me.body).toEqual({
    memberId: 'mem_ada',
    email: 'ada@acme.example',
    role: 'admin',
    organisation: { id: 'acme', title: 'Acme Research' },
  });
});

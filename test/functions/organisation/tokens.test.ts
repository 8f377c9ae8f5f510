import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/http/operation.ts';
import { getToken, readToken, tokenMatches } from '../../../shared/store/tokens.ts';
import { calledFunction } from '../called.ts';
import type { Call } from '../event.ts';
import { organisationService, tokenKey } from './service.ts';

const tokens = calledFunction(organisationService);
const { deployment, service, caller, callAs } = tokens;
const ask = (request: Partial<Call>) => tokens.ask('GET', '/v1/tokens', request);
const create = (body: object, more: Partial<Call> = {}) => ask({ method: 'POST', body, ...more });
/** As somebody who came with a token of `from`, made for it. */
async function asToken(more: Partial<Caller> = {}, from = caller()): Promise<Caller> {
  const { status, body } = await create({ title: 'maker' }, { caller: from });
  expect(status, JSON.stringify(body)).toBe(201);
  return { ...from, tokenId: body.id, ...more };
}
const one = (method: string, id: string, more: Partial<Call> = {}) =>
  ask({ method, route: '/v1/tokens/{id}', params: { id }, ...more });

describe('O4 tokens', () => {
  it('are shown once, and kept as a keyed hash only', async () => {
    const seen = await create({ title: 'CI', expiresInDays: 1 });
    expect(seen).toMatchObject({
      status: 201,
      headers: { location: `/v1/tokens/${seen.body.id}` },
      body: { title: 'CI', role: 'admin', memberId: 'mem_ada', email: 'ada@acme.example' },
    });
    const { token, ...shown } = seen.body;
    expect(token).toMatch(new RegExp(`^slp_${caller().organisation}\\.[0-9a-z]{26}\\.[A-Za-z0-9_-]{43}$`));
    expect(readToken(token)).toEqual({ organisation: caller().organisation, id: seen.body.id });
    expect((await one('GET', seen.body.id)).body).toEqual(shown);
    expect((await ask({})).body.items).toEqual([shown]);
    const { Items } = await deployment().dynamodb.send(new ScanCommand({ TableName: 'slipway' }));
    expect(JSON.stringify([Items, service().log.lines])).not.toContain(token.split('.')[2]);

    const record = await getToken(deployment().table, caller().organisation, seen.body.id);
    if (!record) throw new Error('no record');
    const key = await tokenKey();
    expect(tokenMatches(record, key, token, new Date())).toBe(true);
    expect(tokenMatches(record, key, token, new Date(Date.parse(shown.expiresAt)))).toBe(false);
    expect(tokenMatches(record, 'another key', token, new Date())).toBe(false);
    expect(
      tokenMatches(record, key, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, new Date()),
    ).toBe(false);
    expect(Number(record.expiresAt) * 1000).toBeGreaterThan(Date.parse(shown.expiresAt));
  });

  it('come again by the same idempotency key, and are not in the table even then', async () => {
    const headers = { 'idempotency-key': 'k' };
    const first = await create({ title: 'CI' }, { headers });
    const again = await create({ title: 'CI' }, { headers });
    expect(again).toEqual(first);
    expect(first.body).not.toHaveProperty('expiresAt');
    const { Items } = await deployment().dynamodb.send(new ScanCommand({ TableName: 'slipway' }));
    expect(JSON.stringify(Items)).not.toContain(first.body.token);
    expect((await ask({})).body.items).toHaveLength(1);
  });

  it('do at most what their member may', async () => {
    callAs({ role: 'editor' });
    expect((await create({ title: 'x', role: 'admin' })).body.errors).toMatchObject([{ pointer: '/role' }]);
    expect((await create({ title: 'x', role: 'viewer' })).body.role).toBe('viewer');
    expect((await create({ title: 'x' })).body.role).toBe('editor');
  });

  it('of others are seen and revoked by admins only', async () => {
    const mine = (await create({ title: 'mine' })).body;
    const other: Caller = { ...caller(), memberId: 'mem_bob', role: 'editor' };
    const theirs = (await create({ title: 'theirs' }, { caller: other })).body;
    expect((await ask({ caller: other })).body.items.map((one: { id: string }) => one.id)).toEqual([
      theirs.id,
    ]);
    expect((await ask({ query: { sort: 'title' } })).body.items).toHaveLength(2);
    expect((await ask({ query: { memberId: 'mem_bob' } })).body.items).toMatchObject([{ id: theirs.id }]);
    for (const method of ['GET', 'DELETE'])
      expect((await one(method, mine.id, { caller: other })).status).toBe(404);
    expect((await one('DELETE', theirs.id)).status).toBe(204);
    expect((await one('DELETE', theirs.id)).status).toBe(404);
    const foreign = { ...caller(), organisation: 'elsewhere' };
    expect((await one('DELETE', mine.id, { caller: foreign })).status).toBe(404);
    expect((await one('GET', mine.id)).status).toBe(200);
  });

  it('made by a token end with it at the latest', async () => {
    const tokenEndsAt = new Date(Date.now() + 36 * 3_600_000).toISOString();
    const lent = await asToken({ role: 'viewer', tokenEndsAt });
    expect((await create({ title: 'x' }, { caller: lent })).body.expiresAt).toBe(tokenEndsAt);
    expect((await create({ title: 'x', expiresInDays: 1 }, { caller: lent })).status).toBe(201);
    expect((await create({ title: 'x', expiresInDays: 2 }, { caller: lent })).body.errors).toMatchObject([
      { pointer: '/expiresInDays' },
    ]);
    expect((await ask({})).body.items).toHaveLength(3);
  });

  it('made by a token are revoked with it, and those that they made', async () => {
    const maker = await asToken();
    const child = await asToken({}, maker);
    const grandchild = (await create({ title: 'x' }, { caller: child })).body;
    const sibling = (await create({ title: 'x' })).body;
    expect(grandchild.madeBy).toBe(child.tokenId);
    expect(sibling).not.toHaveProperty('madeBy');
    expect((await one('DELETE', maker.tokenId ?? '')).status).toBe(204);
    expect((await ask({})).body.items).toMatchObject([{ id: sibling.id }]);
    // The gateway's cache may let either in for another minute.
    for (const gone of [maker, child])
      expect(await create({ title: 'x' }, { caller: gone })).toMatchObject({
        status: 403,
        body: { type: 'urn:slipway:problem:token-revoked' },
      });
    expect((await ask({})).body.items).toHaveLength(1);
  });

  it('made while their maker is being revoked are revoked or refused', async () => {
    for (let round = 0; round < 8; round++) {
      const child = await asToken({}, await asToken());
      const [, ...answers] = await Promise.all([
        one('DELETE', round % 2 === 0 ? (child.tokenId ?? '') : await makerOf(child)),
        ...Array.from({ length: 4 }, () => create({ title: 'late' }, { caller: child })),
      ]);
      for (const { status } of answers) expect([201, 403]).toContain(status);
      const left = (await ask({})).body.items;
      expect(left.filter(({ title }: { title: string }) => title === 'late')).toEqual([]);
    }
  });
  const makerOf = async ({ tokenId = '' }: Caller): Promise<string> =>
    (await one('GET', tokenId)).body.madeBy;

  it('are not made without end from one another', async () => {
    let maker = await asToken();
    for (let made = 0; made < 7; made++) maker = await asToken({}, maker);
    const last = await create({ title: 'x' }, { caller: maker });
    expect(last.status).toBe(201);
    expect(await create({ title: 'x' }, { caller: { ...maker, tokenId: last.body.id } })).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:too-many-makers' },
    });
  });

  it('revoke none that may do more; a sign-in revokes all of its member', async () => {
    const strong = (await create({ title: 'strong', role: 'editor' })).body;
    const weak = (await create({ title: 'weak', role: 'viewer' })).body;
    const token = await asToken({ role: 'viewer' });
    expect((await one('DELETE', strong.id, { caller: token })).status).toBe(403);
    expect((await one('DELETE', weak.id, { caller: token })).status).toBe(204);
    const { tokenId: _, ...signIn } = token;
    expect((await one('DELETE', strong.id, { caller: signIn })).status).toBe(204);
  });

  it('are not given to another token of the member by the idempotency key of the first', async () => {
    const headers = { 'idempotency-key': 'deploy' };
    const first = await create({ title: 'CI' }, { headers, caller: await asToken() });
    expect(first.status).toBe(201);
    const weaker = await asToken({ role: 'viewer' });
    const again = await create({ title: 'CI' }, { headers, caller: weaker });
    expect(again.status).not.toBe(201);
    expect(again.status).not.toBe(403);
    expect(again.body).not.toHaveProperty('token');
  });

  it.each([
    {},
    { title: '' },
    { title: 'x', expiresInDays: 0 },
    { title: 'x', expiresInDays: 1.5 },
    { title: 'x', role: 'root' },
  ])('refuse %j', async (body) => {
    expect((await create(body)).status).toBe(422);
    expect((await ask({})).body.items).toEqual([]);
  });
});

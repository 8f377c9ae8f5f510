import { AdminSetUserPasswordCommand, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAccessTokenVerifier } from '../../../functions/authorizer/access-token.ts';
import { type AuthorizeDependencies, authorize } from '../../../functions/authorizer/authorize.ts';
import { createUserPool } from '../../../shared/aws/user-pool.ts';
import type { Role } from '../../../shared/model/common.ts';
import { newId } from '../../../shared/model/id.ts';
import {
  addMember,
  changeMember,
  getMember,
  type MemberRecord,
  memberIdOf,
} from '../../../shared/store/members.ts';
import { addToken, getToken, tokenHash, tokenText } from '../../../shared/store/tokens.ts';
import { startDeployment, type TestDeployment } from '../deployment.ts';
import { startIssuer, type TestIssuer } from './issuer.ts';

const key = 'k'.repeat(48);
const audience = 'client-1';
const now = () => new Date();

let deployment: TestDeployment;
let issuer: TestIssuer;
beforeAll(async () => {
  [deployment, issuer] = await Promise.all([startDeployment(), startIssuer()]);
});
afterAll(async () => {
  await Promise.all([deployment?.stop(), issuer?.stop()]);
});

// Two organisations of their own for every test.
let organisations: string[];
let made = 0;
beforeEach(() => {
  made++;
  organisations = [`acme${made}`, `globex${made}`];
});

function dependencies(
  verify = createAccessTokenVerifier({ issuer: issuer.url, audience }, now),
): AuthorizeDependencies {
  return {
    organisations,
    findMember: (organisation, id) => getMember(deployment.table, organisation, id),
    findToken: (organisation, id) => getToken(deployment.table, organisation, id),
    tokenKey: async () => key,
    verifyAccessToken: verify,
  };
}
const bearer = (token: string, at = now()) => authorize(dependencies(), `Bearer ${token}`, at);

async function join(
  organisation: string,
  subject: string,
  role: Role,
  createdAt = '2026-01-01T00:00:00.000Z',
  from = issuer.url,
) {
  return await addMember(deployment.table, organisation, {
    id: memberIdOf(from, subject),
    subject,
    email: `${subject}@${organisation}.example`,
    role,
    createdAt,
    createdBy: 'slipway',
    updatedAt: createdAt,
  });
}
const acme = () => organisations[0] ?? '';
const globex = () => organisations[1] ?? '';
const subject = () => `sub-${made}`;
const claims = (more: object = {}) => ({ sub: subject(), client_id: audience, token_use: 'access', ...more });

describe('O3 access tokens of the issuer', () => {
  it('stand for the member record of their subject, whatever their claims say', async () => {
    const member = await join(acme(), subject(), 'viewer');
    const token = await issuer.sign(
      claims({ email: 'root@evil.example', role: 'admin', organisation: globex() }),
    );
    expect(await bearer(token)).toEqual({
      organisation: acme(),
      memberId: member.id,
      email: `${subject()}@${acme()}.example`,
      role: 'viewer',
    });
  });

  it.each([
    ['ES256', claims, { alg: 'ES256' }],
    ["another issuer's kind of audience", () => ({ sub: subject(), aud: ['x', audience] }), {}],
  ])('are taken with %s', async (_, said, more) => {
    await join(acme(), subject(), 'editor');
    expect(await bearer(await issuer.sign(said(), more))).toMatchObject({ role: 'editor' });
  });

  it.each([
    ['expired', () => issuer.sign(claims(), { expires: Math.floor(Date.now() / 1000) - 60 })],
    ['of another issuer', () => issuer.sign(claims({ iss: 'https://evil.example' }))],
    ['for another client', () => issuer.sign(claims({ client_id: 'other' }))],
    ['for another audience', () => issuer.sign(claims({ aud: 'other' }))],
    ['for nobody', () => issuer.sign({ sub: subject() })],
    ['an ID token', () => issuer.sign(claims({ token_use: 'id', aud: audience }))],
    ['not valid yet', () => issuer.sign(claims({ nbf: Math.floor(Date.now() / 1000) + 600 }))],
    ['without a subject', () => issuer.sign(claims({ sub: undefined }))],
    ['signed by somebody else', () => issuer.sign(claims(), { foreignKey: true })],
    ['signed by an algorithm that was not agreed', () => issuer.sign(claims(), { alg: 'RS512' })],
    [
      'signed with the public key as a shared one',
      () =>
        new SignJWT({ iss: issuer.url, ...claims() })
          .setProtectedHeader({ alg: 'HS256', kid: 'RS256' })
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(issuer.publicKey)),
    ],
    [
      'not signed at all',
      async () => {
        const [, body] = (await issuer.sign(claims())).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
      },
    ],
    [
      'changed after signing',
      async () => {
        const [header, , signature] = (await issuer.sign(claims({ sub: 'eve' }))).split('.');
        const body = Buffer.from(JSON.stringify({ iss: issuer.url, exp: 4e9, ...claims() })).toString(
          'base64url',
        );
        return `${header}.${body}.${signature}`;
      },
    ],
    ['no token', async () => 'a.b.c'],
    ['nothing', async () => ''],
  ])('are refused when %s', async (_, token) => {
    await join(acme(), subject(), 'admin');
    await join(acme(), 'eve', 'viewer').catch(() => undefined);
    expect(await bearer(await token())).toBeUndefined();
  });

  it('are nothing without a member record, and nothing once it is gone', async () => {
    const token = await issuer.sign(claims());
    expect(await bearer(token)).toBeUndefined();
    await join(globex(), 'other', 'admin');
    const member = await join(globex(), subject(), 'editor');
    expect(await bearer(token)).toMatchObject({ organisation: globex() });
    await changeMember(deployment.table, globex(), member, undefined, '2026-11-21T09:00:00.000Z');
    expect(await bearer(token)).toBeUndefined();
  });

  it('keep their meaning when another organisation invites a person who had signed in', async () => {
    const token = await issuer.sign(claims());
    await join(globex(), subject(), 'viewer', '2026-02-01T00:00:00.000Z');
    expect(await bearer(token)).toMatchObject({ organisation: globex() });
    const elsewhere = await join(acme(), subject(), 'admin', '2026-03-01T00:00:00.000Z');
    await deployment.table.put(acme(), 'members', elsewhere.id, { ...elsewhere, byNameOnly: true });
    expect(await bearer(token)).toMatchObject({
      organisation: globex(),
      role: 'viewer',
      memberships: expect.arrayContaining([
        expect.objectContaining({ organisation: globex(), role: 'viewer' }),
        expect.objectContaining({ organisation: acme(), role: 'admin' }),
      ]),
    });
    await deployment.table.remove(globex(), 'members', elsewhere.id);
    expect(await bearer(token)).toMatchObject({ organisation: acme(), role: 'admin' });
  });

  it.each([1, -1])('of a newcomer with two invitations mean neither, whichever came first', async (order) => {
    const both = [acme(), globex()].sort(() => order);
    for (const [i, organisation] of both.entries())
      await join(organisation, subject(), 'admin', `2026-0${i + 1}-01T00:00:00.000Z`);
    const seen = await bearer(await issuer.sign(claims()));
    expect(seen).toMatchObject({ organisation: '', role: 'viewer' });
    expect(seen?.memberships?.map(({ organisation }) => organisation)).toEqual([acme(), globex()]);
  });

  it('fetch the keys once, and are no verdict while the issuer is away', async () => {
    await join(acme(), subject(), 'viewer');
    const token = await issuer.sign(claims());
    const verify = createAccessTokenVerifier({ issuer: issuer.url, audience }, now);
    issuer.fail = true;
    await expect(authorize(dependencies(verify), `Bearer ${token}`, now())).rejects.toThrow('503');
    issuer.fail = false;
    const before = issuer.asked.length;
    for (let i = 0; i < 3; i++)
      expect(await authorize(dependencies(verify), `bearer ${token}`, now())).toBeDefined();
    expect(issuer.asked.length - before).toBe(2);
  });

  it('are those of the real user pool after an invitation', async () => {
    const { cognito, userPoolId, clientId, cloud } = deployment;
    const email = `ada${made}@acme.example`;
    const from = `${cloud.endpointUrl}/${userPoolId}`;
    const { subject: sub } = await createUserPool(userPoolId, cognito).ensure(email);
    await join(acme(), sub, 'admin', undefined, from);
    const Password = 'Correct-horse-7';
    await cognito.send(
      new AdminSetUserPasswordCommand({ UserPoolId: userPoolId, Username: email, Password, Permanent: true }),
    );
    const { AuthenticationResult } = await cognito.send(
      new InitiateAuthCommand({
        ClientId: clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: email, PASSWORD: Password },
      }),
    );
    const verify = createAccessTokenVerifier({ issuer: from, audience: clientId }, now);
    const as = (token = '') => authorize(dependencies(verify), `Bearer ${token}`, now());
    expect(await as(AuthenticationResult?.AccessToken)).toMatchObject({
      organisation: acme(),
      role: 'admin',
    });
    expect(await as(AuthenticationResult?.IdToken)).toBeUndefined();
  });
});

describe('O4 Slipway tokens', () => {
  type More = { memberRole?: Role; endsAt?: string };
  async function issue(organisation: string, role: Role, { memberRole = 'admin', ...more }: More = {}) {
    const member = await join(organisation, subject(), memberRole);
    return { member, ...(await add(organisation, member, role, more)) };
  }

  async function add(
    organisation: string,
    member: MemberRecord,
    role: Role,
    more: { endsAt?: string; makers?: string[] } = {},
  ) {
    const id = newId('token', Date.now());
    const text = tokenText(organisation, id);
    await addToken(deployment.table, organisation, {
      id,
      title: 'CI',
      memberId: member.id,
      email: member.email,
      role,
      hash: tokenHash(key, text),
      createdAt: '2026-01-01T00:00:00.000Z',
      ...more,
    });
    return { text, id };
  }

  it('stand for their member, and do no more than token and member both may', async () => {
    const { text, id, member } = await issue(acme(), 'editor');
    expect(await bearer(text)).toEqual({
      organisation: acme(),
      memberId: member.id,
      email: member.email,
      role: 'editor',
      tokenId: id,
    });
    await join(acme(), 'another admin', 'admin');
    await changeMember(deployment.table, acme(), member, 'viewer', '2026-11-21T09:00:00.000Z');
    expect(await bearer(text)).toMatchObject({ role: 'viewer' });
  });

  it('end when they expire, are revoked, or their member goes', async () => {
    const endsAt = new Date(Date.now() + 60_000).toISOString();
    const { text, id } = await issue(acme(), 'viewer', { endsAt });
    expect(await bearer(text)).toMatchObject({ tokenId: id, tokenEndsAt: endsAt });
    expect(await bearer(text, new Date(endsAt))).toBeUndefined();
    await deployment.table.remove(acme(), 'tokens', id);
    expect(await bearer(text)).toBeUndefined();

    const other = await issue(globex(), 'viewer', { memberRole: 'viewer' });
    expect(await bearer(other.text)).toBeDefined();
    await changeMember(deployment.table, globex(), other.member, undefined, endsAt);
    expect(await bearer(other.text)).toBeUndefined();
  });

  it('end with the token that made them, or one before it, even where only that was removed', async () => {
    const { text, id, member } = await issue(acme(), 'editor');
    const child = await add(acme(), member, 'editor', { makers: [id] });
    const grandchild = await add(acme(), member, 'viewer', { makers: [child.id, id] });
    for (const each of [text, child.text, grandchild.text]) expect(await bearer(each)).toBeDefined();
    await deployment.table.remove(acme(), 'tokens', id);
    for (const each of [text, child.text, grandchild.text]) expect(await bearer(each)).toBeUndefined();
  });

  it('stay useless when their member leaves and comes back', async () => {
    const { text, member } = await issue(acme(), 'viewer', { memberRole: 'viewer' });
    expect(await bearer(text)).toBeDefined();
    await changeMember(deployment.table, acme(), member, undefined, '2026-02-01T00:00:00.000Z');
    await join(acme(), subject(), 'viewer', '2026-02-02T00:00:00.000Z');
    expect(await bearer(text)).toBeUndefined();
  });

  it('are no token when several Authorization headers were sent, which the gateway joins', async () => {
    const { text } = await issue(acme(), 'admin');
    for (const joined of [`${text},Bearer ${text}`, `${text}, Bearer x`, `${text},`, `x,Bearer ${text}`])
      expect(await bearer(joined)).toBeUndefined();
  });

  it('are good in their own organisation only', async () => {
    const { text } = await issue(acme(), 'admin');
    expect(await bearer(text.replace(acme(), globex()))).toBeUndefined();
    organisations = [globex()];
    expect(await bearer(text)).toBeUndefined();
  });

  it('are refused in every other form', async () => {
    const { text } = await issue(acme(), 'admin');
    const [organisation, id, secret = ''] = text.slice(4).split('.');
    for (const wrong of [
      `slp_${organisation}.${id}.${'A'.repeat(43)}`,
      `slp_${organisation}.${id}.${secret}x`,
      `slp_${organisation}.${id}.`,
      `slp_${organisation}.${id}`,
      `slp_${organisation}..${secret}`,
      'slp_',
      text.toUpperCase(),
    ])
      expect(await bearer(wrong)).toBeUndefined();
    for (const header of [undefined, '', text, `Basic ${text}`, `Bearer ${text} ${text}`, 'Bearer'])
      expect(await authorize(dependencies(), header, now())).toBeUndefined();
  });
});

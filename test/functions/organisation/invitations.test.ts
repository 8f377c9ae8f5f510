/** O6: the mail that invites a person. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminSetUserPasswordCommand, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider';
import { beforeEach, describe, expect, it } from 'vitest';
import { invitationMail } from '../../../functions/organisation/invitation.ts';
import { createUserPool } from '../../../shared/aws/user-pool.ts';
import { addMember, memberIdOf } from '../../../shared/store/members.ts';
import { calledFunction } from '../called.ts';
import { issuer, organisationService } from './service.ts';

const members = calledFunction(organisationService);
const { deployment, caller, callAs, serveWith } = members;

beforeEach(async () => {
  const time = '2026-11-21T08:00:00.000Z';
  const { organisation } = caller();
  const id = memberIdOf(issuer, organisation);
  const admin = { id, subject: organisation, email: 'ada@acme.example', role: 'admin' as const };
  await addMember(deployment().table, organisation, {
    ...admin,
    createdAt: time,
    createdBy: 'slipway',
    updatedAt: time,
  });
  callAs({ memberId: id });
});

const invite = (email: string, more: object = {}) =>
  members.ask('POST', '/v1/members', { body: { email, role: 'editor', ...more } });

/** Mails to an address, as their text reads. */
function mailsTo(email: string): string[] {
  const outbox = join(deployment().cloud.home, 'outbox');
  return readdirSync(outbox)
    .map((file) => readFileSync(join(outbox, file), 'utf8'))
    .filter((mail) => new RegExp(`^To: .*${email}`, 'im').test(mail))
    .map((mail) => mail.replace(/=\r?\n/g, '').replaceAll('=3D', '='));
}

const signIn = (email: string, password: string) =>
  deployment().cognito.send(
    new InitiateAuthCommand({
      ClientId: deployment().clientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD: password },
    }),
  );

const passwordIn = (mail = '') => /^First password: +(\S+)/m.exec(mail)?.[1] ?? '';
const refusing = {
  async send(): Promise<string> {
    throw new Error('Email address is not verified');
  },
};

it('O6 says who invites to what, where, and how to sign in', async () => {
  const email = `grace${caller().organisation}@acme.example`;
  expect((await invite(email)).body).not.toHaveProperty('warnings');
  const [mail, ...more] = mailsTo(email);
  expect(more).toEqual([]);
  for (const part of [
    'ada@acme.example invited you to',
    'Slipway',
    caller().organisation,
    'editor',
    'https://slipway.example',
    deployment().clientId,
    'NEW_PASSWORD_REQUIRED',
  ])
    expect(mail).toContain(part);
  expect(await signIn(email, passwordIn(mail))).toMatchObject({ ChallengeName: 'NEW_PASSWORD_REQUIRED' });
});

it('O6 an invitation again has another first password, and only that one opens', async () => {
  const email = `late${caller().organisation}@acme.example`;
  const invited = await invite(email);
  await members.ask('DELETE', '/v1/members/{id}', { params: { id: invited.body.id } });
  await invite(email);
  const passwords = mailsTo(email).map(passwordIn);
  expect(new Set(passwords).size).toBe(2);
  const opened = await Promise.allSettled(passwords.map((password) => signIn(email, password)));
  expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

it('O6 a person who has signed in keeps their password', async () => {
  const { cognito, userPoolId } = deployment();
  const email = `known${caller().organisation}@acme.example`;
  await createUserPool(userPoolId, cognito).ensure(email);
  const Password = 'Correct-horse-7';
  await cognito.send(
    new AdminSetUserPasswordCommand({ UserPoolId: userPoolId, Username: email, Password, Permanent: true }),
  );
  await invite(email);
  const [mail] = mailsTo(email);
  expect(passwordIn(mail)).toBe('');
  expect(mail).toContain('the password that you chose before');
  expect((await signIn(email, Password)).AuthenticationResult?.AccessToken).toBeTruthy();
});

describe('O6 where SES refuses the mail', () => {
  it("Cognito mails the pool's own invitation", async () => {
    serveWith({ mail: refusing });
    const email = `sandbox${caller().organisation}@acme.example`;
    const seen = await invite(email);
    expect(seen).toMatchObject({ status: 201 });
    expect(seen.body).not.toHaveProperty('warnings');
    await expect.poll(() => mailsTo(email)).toHaveLength(1);
  });

  it('the answer says so of a person whom Cognito mails nothing', async () => {
    serveWith({ mail: refusing, userPool: undefined });
    const email = `oidc${caller().organisation}@acme.example`;
    const seen = await invite(email, { subject: `auth0|${caller().organisation}` });
    expect(seen).toMatchObject({
      status: 201,
      body: { warnings: [expect.stringContaining('https://slipway.example')] },
    });
    expect((await members.ask('GET', '/v1/members', {})).body.items).toContainEqual(
      expect.objectContaining({ email }),
    );
  });
});

it('O6 an issuer of the operator is named, and titles are text in HTML', () => {
  const mail = invitationMail({
    email: 'eve@acme.example',
    role: 'viewer',
    invitedBy: 'ada@acme.example',
    organisation: { id: 'acme', title: '<b>Acme</b>' },
    apiUrl: 'https://slipway.example',
    issuer: 'https://login.example',
  });
  expect(mail.text).toContain('Sign in at https://login.example.');
  expect(mail.html).not.toContain('<b>Acme');
  expect(mail.html).toContain('&lt;b&gt;Acme');
});

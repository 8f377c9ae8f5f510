import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  GetAccountCommand,
  SESv2Client,
  SendEmailCommand,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeclaredResource, Service } from '../../../local/platform.ts';
import { createSes, type SesOptions } from '../../../local/ses.ts';
import { roleNamed, type TestCloud, testCloud } from '../test-cloud.ts';
import { type TestEndpoint, testEndpoint } from '../test-endpoint.ts';

let cloud: TestCloud;
let service: Service;
let endpoint: TestEndpoint;
let ses: SESv2Client;
const resource = (type: string, physicalId: string): DeclaredResource => ({
  stack: 'api',
  logicalId: 'Ses',
  type,
  physicalId,
  attributes: {},
  properties: {},
});
const declared = [
  resource('AWS::SES::EmailIdentity', 'slipway.example'),
  resource('AWS::SES::EmailIdentity', 'Ada@acme.example'),
  resource('AWS::SES::ConfigurationSet', 'slipway'),
];
const simple: SendEmailCommandInput = {
  FromEmailAddress: 'Slipway <slipway@slipway.example>',
  Destination: { ToAddresses: ['ada@acme.example'], BccAddresses: ['audit@acme.example'] },
  ReplyToAddresses: ['team@acme.example'],
  Content: {
    Simple: {
      Subject: { Data: 'Build gescheitert: größe' },
      Body: { Text: { Data: 'step 3 failed' }, Html: { Data: '<p>step 3 failed</p>' } },
      Headers: [{ Name: 'X-Slipway-Build', Value: 'bld_1' }],
    },
  },
};
const send = (input: Partial<SendEmailCommandInput> = {}) =>
  ses.send(new SendEmailCommand({ ...simple, ...input }));
const outbox = () => readdirSync(join(cloud.home, 'outbox'));
const mail = (index = 0) => readFileSync(join(cloud.home, 'outbox', outbox()[index] ?? ''), 'utf8');

async function open(options: SesOptions = {}): Promise<void> {
  service = createSes(cloud, { smtpUrl: '', sandbox: false, ...options });
  await service.deploy?.(declared);
  endpoint = await testEndpoint(cloud, [service]);
  ses = new SESv2Client(endpoint.clientOf(roleNamed('build-events')));
}

beforeEach(() => {
  cloud = testCloud();
});
afterEach(async () => {
  await service.stop?.();
  ses.destroy();
  await endpoint.close();
  cloud.remove();
});

test('B4 a message lands in the outbox as RFC 5322, without its blind copies', async () => {
  await open();
  const { MessageId } = await send({
    EmailTags: [{ Name: 'kind', Value: 'build' }],
    ConfigurationSetName: 'slipway',
  });
  expect(outbox()).toEqual([`2026-11-20T10-00-00-000Z-${MessageId}.eml`]);
  const text = mail();
  expect(text).toContain('From: Slipway <slipway@slipway.example>\r\n');
  expect(text).toContain('To: ada@acme.example\r\n');
  expect(text).toContain('Reply-To: team@acme.example\r\n');
  expect(text).toContain('X-Slipway-Build: bld_1\r\n');
  expect(text.replaceAll('\r\n ', ' ')).toContain(`Message-ID: <${MessageId}@email.amazonses.com>\r\n`);
  expect(text).toMatch(/^Subject: =\?UTF-8\?/m);
  expect(text).toContain('multipart/alternative');
  expect(text).not.toContain('audit@acme.example');
  expect(cloud.authorizations.slice(0, 2)).toMatchObject([
    { action: 'ses:SendEmail', resource: 'arn:aws:ses:us-east-1:000000000000:identity/slipway.example' },
    { action: 'ses:SendEmail', resource: 'arn:aws:ses:us-east-1:000000000000:configuration-set/slipway' },
  ]);
});

test('an identity’s own configuration set is asked for as well', async () => {
  await open();
  const identity = resource('AWS::SES::EmailIdentity', 'slipway.example');
  const properties = { ConfigurationSetAttributes: { ConfigurationSetName: 'slipway' } };
  await service.deploy?.([{ ...identity, properties }, ...declared.slice(2)]);
  cloud.deny = (asked) => asked.resource.endsWith(':configuration-set/slipway');
  await expect(send()).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a raw message keeps its parts, and is its own action', async () => {
  await open();
  const raw =
    'From: a@mail.slipway.example\nTo: ada@acme.example\nBcc: x@y.example\nSubject: raw\n folded\n\nbody\n';
  const { MessageId } = await send({
    FromEmailAddress: undefined,
    Destination: undefined,
    Content: { Raw: { Data: Buffer.from(raw) } },
  });
  expect(mail()).toContain('Subject: raw\r\n folded\r\n\r\nbody\n');
  expect(mail()).toContain(`Message-ID: <${MessageId}@email`);
  expect(mail()).not.toContain('Bcc');
  expect(cloud.authorizations.at(-1)).toMatchObject({
    action: 'ses:SendRawEmail',
    resource: 'arn:aws:ses:us-east-1:000000000000:identity/slipway.example',
    context: {
      'ses:FromAddress': 'a@mail.slipway.example',
      'ses:Recipients': ['ada@acme.example', 'x@y.example'],
    },
  });
});

test.each([
  ['an unverified sender', { FromEmailAddress: 'x@other.example' }, 'MessageRejected'],
  ['an identity in another case', { FromEmailAddress: 'ada@acme.example' }, 'MessageRejected'],
  ['no recipient', { Destination: {} }, 'BadRequestException'],
  ['a broken address', { Destination: { ToAddresses: ['ada'] } }, 'BadRequestException'],
  [
    'two addresses in one',
    { Destination: { ToAddresses: ['a@b.example, c@d.example'] } },
    'BadRequestException',
  ],
  [
    'a line break in an address',
    { Destination: { ToAddresses: ['a@b.example\r\nBcc: c@d.example'] } },
    'BadRequestException',
  ],
  [
    '51 recipients',
    { Destination: { ToAddresses: Array.from({ length: 51 }, (_, n) => `a${n}@b.example`) } },
    'BadRequestException',
  ],
  ['an unknown configuration set', { ConfigurationSetName: 'none' }, 'NotFoundException'],
  ['a tag with a space', { EmailTags: [{ Name: 'kind', Value: 'a build' }] }, 'BadRequestException'],
  ['a template', { Content: { Template: { TemplateName: 'x' } } }, 'UnsupportedOperation'],
])('%s is refused and nothing is written', async (_what, input, name) => {
  await open();
  await expect(send(input)).rejects.toMatchObject({ name });
  expect(outbox()).toEqual([]);
});

test('a role without the permission sends nothing', async () => {
  await open();
  cloud.deny = ({ action }) => action === 'ses:SendEmail';
  await expect(send()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  expect(outbox()).toEqual([]);
});

test('in the sandbox only verified recipients get mail, one a second, and the account says so', async () => {
  await open({ sandbox: true });
  expect((await ses.send(new GetAccountCommand({}))).ProductionAccessEnabled).toBe(false);
  await expect(send()).rejects.toMatchObject({ name: 'MessageRejected' });
  const verified = { Destination: { ToAddresses: ['Ada@ACME.example'] } };
  await send(verified);
  await expect(send(verified)).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  const add = cloud.db.prepare('INSERT INTO ses_accepted VALUES (?, ?)');
  for (let n = 0; n < 199; n += 1) add.run(String(n), cloud.time);
  cloud.time += 1_000;
  await expect(send(verified)).rejects.toMatchObject({ name: 'LimitExceededException' });
});

async function smtpServer(options: SMTPServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test('B4 mail is handed over to an SMTP server, again after it was away, once', async () => {
  const received: { recipients: string[]; text: string }[] = [];
  let failures = 1;
  const smtp = await smtpServer({
    onMailFrom: (_address, _session, done) =>
      done(failures-- > 0 ? Object.assign(new Error('later'), { responseCode: 451 }) : undefined),
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => {
        received.push({ recipients: session.envelope.rcptTo.map((one) => one.address), text });
        done();
      });
    },
  });
  await open({ smtpUrl: smtp.url });
  cloud.clockMs = 20;
  await send();
  await service.start?.();
  await expect
    .poll(() => cloud.logged)
    .toEqual([expect.stringMatching(/could not send .* to the SMTP server; next attempt in 5 s: .*later/)]);
  await service.stop?.();
  // Killed in between: the next start takes the hand-over up.
  const again = createSes(cloud, { smtpUrl: smtp.url, sandbox: false });
  cloud.time += 5_000;
  await again.start?.();
  await expect.poll(() => received).toHaveLength(1);
  expect(received[0]?.recipients).toEqual(['ada@acme.example', 'audit@acme.example']);
  expect(received[0]?.text).toBe(mail());
  await expect.poll(() => cloud.db.prepare('SELECT * FROM ses_hand_overs').all()).toEqual([]);
  await again.stop?.();
  await smtp.close();
});

test('what the SMTP server refuses is reported, kept in the outbox, and not tried again', async () => {
  const smtp = await smtpServer({
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('no such user'), { responseCode: 550 })),
  });
  await open({ smtpUrl: smtp.url });
  cloud.clockMs = 20;
  await send();
  await service.start?.();
  await expect
    .poll(() => cloud.logged)
    .toEqual([expect.stringMatching(/refused .*, which stays in the outbox: .*no such user/s)]);
  expect(cloud.db.prepare('SELECT * FROM ses_hand_overs').all()).toEqual([]);
  expect(outbox()).toHaveLength(1);
  await smtp.close();
});

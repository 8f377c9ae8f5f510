import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mailAbout } from '../../scripts/demo/mail.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-mail-'));
  await mkdir(join(home, 'outbox'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function deliver(name: string, subject: string, text: string): Promise<void> {
  const message = new MailComposer({
    from: 'slipway@slipway.example',
    to: 'ada@acme.example',
    subject,
    text,
    html: `<p>${text}</p>`,
  });
  await writeFile(join(home, 'outbox', name), await message.compile().build());
}

it('the mail about a build is found by the id in its text, whatever the encoding', async () => {
  await deliver('1.eml', 'built', 'Build: bld_one');
  await deliver(
    '2.eml',
    'Größe stimmt nicht: fehlgeschlagen – bld',
    `Größe: 3 MB\n${'x'.repeat(90)}\nBuild: bld_two`,
  );
  const mail = await mailAbout(home, 'bld_two', 1);
  expect(mail).toMatchObject({
    path: join(home, 'outbox/2.eml'),
    to: 'ada@acme.example',
    subject: 'Größe stimmt nicht: fehlgeschlagen – bld',
  });
  expect(mail.text).toContain(`Größe: 3 MB\n${'x'.repeat(90)}\nBuild: bld_two`);
});

it('a mail that never comes is an error which says where it looked', async () => {
  await expect(mailAbout(home, 'bld_three', 0.3)).rejects.toThrow(
    `No mail about bld_three in ${join(home, 'outbox')}`,
  );
});

it('a mail that comes while one waits is found', async () => {
  const waiting = mailAbout(home, 'bld_four', 10);
  await deliver('4.eml', 'late', 'Build: bld_four');
  expect((await waiting).subject).toBe('late');
});

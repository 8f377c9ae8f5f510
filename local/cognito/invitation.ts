/** The mail that tells an invited user their temporary password. */
import { randomInt, randomUUID } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Composed } from '../ses/message.ts';
import type { CognitoAccess } from './access.ts';
import type { PasswordPolicy, Pool } from './pools.ts';

const sender = 'no-reply@verificationemail.com';

/** A password of the pool's kind, made of characters that are hard to confuse. */
export function temporaryPassword(policy: PasswordPolicy): string {
  const types = ['abcdefghijkmnpqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '!@#%&*'];
  const pick = (characters: string): string => characters[randomInt(characters.length)] ?? '';
  const length = Math.max(policy.minLength, 12);
  const all = types.join('');
  // One of each kind first; the order doesn't matter, since the rest is random.
  return [...types.map(pick), ...Array.from({ length: length - types.length }, () => pick(all))].join('');
}

/** Composes the pool's invitation. Call the answer to put it into the outbox. */
export async function composeInvitation(
  access: CognitoAccess,
  pool: Pool,
  login: string,
  email: string,
  password: string,
): Promise<() => void> {
  const sentAt = access.now();
  const messageId = randomUUID();
  const escaped = (text: string): string => text.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`);
  const html = pool.invitation.text
    .replaceAll('{username}', () => escaped(login))
    .replaceAll('{####}', () => escaped(password));
  const mail = new MailComposer({
    from: sender,
    to: email,
    subject: pool.invitation.subject,
    html,
    date: sentAt,
    messageId: `<${messageId}@verificationemail.com>`,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const source = await mail.compile().build();
  const message: Composed = { from: sender, recipients: [email], source, kind: 'simple' };
  return () => access.outbox.accept(messageId, message, sentAt);
}

/** Mail by SES. It knows no idempotency: whoever sends has claimed the mail before. */
import { MessageRejected, SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';

export interface Message {
  /** At most 50. */
  to: string[];
  subject: string;
  text: string;
  html: string;
}

export interface Mail {
  /** Answers SES's id of the message. Where SES takes it for one of `to` not, none of them gets it: see `isRejected`. */
  send(message: Message): Promise<string>;
}

/** `from` is an address that SES has verified. */
export function createMail(from: string, client: SESv2Client = new SESv2Client({})): Mail {
  return {
    async send({ to, subject, text, html }) {
      const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
      const { MessageId } = await client.send(
        new SendEmailCommand({
          FromEmailAddress: `Slipway <${from}>`,
          Destination: { ToAddresses: to },
          Content: {
            Simple: { Subject: utf8(subject), Body: { Text: utf8(text), Html: utf8(html) } },
          },
        }),
      );
      return MessageId ?? '';
    },
  };
}

/** Whether SES would not take a message, as in its sandbox one to an address that isn't verified. */
export const isRejected = (error: unknown): error is Error => error instanceof MessageRejected;

/** Makes the RFC 5322 message of a SendEmail request. */
import addressparser from 'nodemailer/lib/addressparser';
import MailComposer from 'nodemailer/lib/mail-composer';
import { AwsError } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';
import { badRequest, bareAddress } from './addresses.ts';

export interface Composed {
  /** Bare addresses, for the hand-over. */
  from: string;
  recipients: string[];
  source: Buffer;
  kind: 'simple' | 'raw';
}

const maxRecipients = 50;
const maxMessageBytes = 40 * 1024 * 1024;

function checkSize(source: Buffer): Buffer {
  if (source.length > maxMessageBytes)
    throw badRequest(`Message length is more than ${maxMessageBytes} bytes long: '${source.length}'.`);
  return source;
}

function part(input: RequestMembers | undefined, name: string): string | undefined {
  const content = input?.structure(name);
  const charset = content?.optionalString('Charset') ?? 'UTF-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw badRequest(`The embedded cloud supports only the charset UTF-8, not ${charset}.`);
  return content?.string('Data');
}

/** Composes `Content.Simple`. `Date` and `Message-ID` are the service's to set. */
async function composeSimple(
  simple: RequestMembers,
  request: RequestMembers,
  recipients: Recipients,
  stamp: Stamp,
): Promise<Buffer> {
  if (simple.has('Attachments'))
    throw new AwsError(
      'UnsupportedOperation',
      'The embedded cloud does not implement Attachments of simple messages. Send a raw message.',
      400,
    );
  const body = simple.structure('Body');
  const text = part(body, 'Text');
  const html = part(body, 'Html');
  if (text === undefined && html === undefined) throw badRequest('The message body is required');
  const subject = part(simple, 'Subject');
  if (subject === undefined) throw badRequest('The subject is required');
  const headers = simple.structures('Headers', 15).map((header) => {
    const key = header.string('Name', { max: 126, pattern: /^[!-9;-@A-~]+$/ });
    return { key, value: header.string('Value', { max: 870, pattern: /^[ -~]*$/ }) };
  });
  const mail = new MailComposer({
    from: request.string('FromEmailAddress'),
    to: recipients.to,
    cc: recipients.cc,
    replyTo: request.strings('ReplyToAddresses'),
    subject,
    text,
    html,
    headers,
    date: stamp.date,
    messageId: stamp.messageId,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return await mail.compile().build();
}

interface Stamp {
  date: Date;
  /** With angle brackets. */
  messageId: string;
}

interface Recipients {
  to: string[];
  cc: string[];
  bcc: string[];
}

interface Header {
  name: string;
  /** With its folded lines, without the last line break. */
  lines: string;
}

function splitRaw(raw: Buffer): { headers: Header[]; body: Buffer } {
  const text = raw.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  const head = end ? text.slice(0, end.index) : text;
  const headers = head.split(/\r?\n(?![ \t])/).map((lines): Header => {
    const name = /^([!-9;-~]+):/.exec(lines)?.[1];
    if (name === undefined)
      throw badRequest('Unable to parse the raw message: it does not begin with headers.');
    return { name: name.toLowerCase(), lines };
  });
  return { headers, body: Buffer.from(end ? text.slice(end.index + end[0].length) : '', 'latin1') };
}

const headerAddresses = (headers: Header[], name: string): string[] =>
  headers
    .filter((one) => one.name === name)
    .flatMap(({ lines }) => addressparser(lines.slice(name.length + 1), { flatten: true }))
    .map((one) => one.address);

/** As SES does: its own `Message-ID` and `Date`, no `Bcc`, everything else as it came. */
function stampRaw({ headers, body }: { headers: Header[]; body: Buffer }, stamp: Stamp): Buffer {
  const kept = headers.filter((one) => !['message-id', 'date', 'bcc'].includes(one.name));
  const lines = [
    `Message-ID: ${stamp.messageId}`,
    `Date: ${stamp.date.toUTCString().replace('GMT', '+0000')}`,
    ...kept.map((one) => one.lines.replace(/\r?\n/g, '\r\n')),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function readDestination(request: RequestMembers): Recipients {
  const destination = request.structure('Destination');
  const list = (name: string): string[] => destination?.strings(name) ?? [];
  return { to: list('ToAddresses'), cc: list('CcAddresses'), bcc: list('BccAddresses') };
}

/** Composes a request's message; throws `BadRequestException` where SES would. */
export async function compose(request: RequestMembers, stamp: Stamp): Promise<Composed> {
  const content = request.structure('Content');
  const simple = content?.structure('Simple');
  const raw = content?.structure('Raw');
  if (content?.has('Template'))
    throw new AwsError(
      'UnsupportedOperation',
      'The embedded cloud does not implement Content.Template of SendEmail.',
      400,
    );
  if ((simple === undefined) === (raw === undefined))
    throw badRequest('Exactly one of Simple, Raw and Template must be given.');
  const given = readDestination(request);
  const named = [...given.to, ...given.cc, ...given.bcc].map(bareAddress);
  if (simple) {
    const source = checkSize(await composeSimple(simple, request, given, stamp));
    return {
      from: bareAddress(request.string('FromEmailAddress')),
      recipients: checkRecipients(named),
      source,
      kind: 'simple',
    };
  }
  const parsed = splitRaw(Buffer.from(raw?.string('Data') ?? '', 'base64'));
  const from = request.optionalString('FromEmailAddress') ?? headerAddresses(parsed.headers, 'from')[0] ?? '';
  const inHeaders = ['to', 'cc', 'bcc'].flatMap((name) => headerAddresses(parsed.headers, name));
  return {
    from: bareAddress(from),
    recipients: checkRecipients(named.length > 0 ? named : inHeaders.map(bareAddress)),
    source: checkSize(stampRaw(parsed, stamp)),
    kind: 'raw',
  };
}

function checkRecipients(recipients: string[]): string[] {
  if (recipients.length === 0) throw badRequest('No recipients specified');
  if (recipients.length > maxRecipients) throw badRequest(`Recipient count exceeds ${maxRecipients}.`);
  return recipients;
}

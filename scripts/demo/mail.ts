/** Finds the mail about a build in the embedded cloud's outbox. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Mail {
  path: string;
  from: string;
  to: string;
  subject: string;
  /** The plain text alternative. */
  text: string;
}

/** Waits up to `timeoutSeconds` for the mail that names `id`; throws if none comes. */
export async function mailAbout(home: string, id: string, timeoutSeconds: number): Promise<Mail> {
  const outbox = join(home, 'outbox');
  const until = performance.now() + timeoutSeconds * 1000;
  const seen = new Set<string>();
  for (;;) {
    const names = existsSync(outbox) ? await readdir(outbox) : [];
    for (const name of names
      .filter((one) => one.endsWith('.eml') && !seen.has(one))
      .sort()
      .reverse()) {
      const mail = parseMail(join(outbox, name), await readFile(join(outbox, name), 'utf8'));
      if (mail.text.includes(id)) return mail;
      seen.add(name);
    }
    if (performance.now() > until)
      throw new Error(`No mail about ${id} in ${outbox} after ${timeoutSeconds} s`);
    await sleep(200);
  }
}

function parseMail(path: string, source: string): Mail {
  const { headers, body } = splitPart(source);
  return {
    path,
    from: decodeWords(headers.get('from') ?? ''),
    to: decodeWords(headers.get('to') ?? ''),
    subject: decodeWords(headers.get('subject') ?? ''),
    text: plainText(headers, body) ?? '',
  };
}

function splitPart(source: string): { headers: Map<string, string>; body: string } {
  const [head = '', ...rest] = source.replaceAll('\r\n', '\n').split('\n\n');
  const headers = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: rest.join('\n\n') };
}

/** Descends into multipart messages until there is a text/plain part. */
function plainText(headers: Map<string, string>, body: string): string | undefined {
  const type = headers.get('content-type') ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) {
    if (!/^text\/plain/i.test(type)) return undefined;
    return decodeBody(body, headers.get('content-transfer-encoding') ?? '7bit');
  }
  for (const part of body.split(`--${boundary}`).slice(1, -1)) {
    const inner = splitPart(part.replace(/^\r?\n/, ''));
    const text = plainText(inner.headers, inner.body);
    if (text !== undefined) return text;
  }
  return undefined;
}

function decodeBody(body: string, encoding: string): string {
  if (/base64/i.test(encoding)) return Buffer.from(body, 'base64').toString('utf8');
  if (/quoted-printable/i.test(encoding)) return decodeQuoted(body.replace(/=\n/g, ''));
  return body;
}

const decodeQuoted = (text: string): string => {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
};

/** RFC 2047 words, `=?UTF-8?Q?…?=`. */
const decodeWords = (text: string): string =>
  text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    );

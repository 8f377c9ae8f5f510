/** The little XML that S3 speaks. */
import { AwsError, type RestAnswer } from '../platform.ts';

type XmlValue = string | number | boolean | XmlFields | XmlValue[] | undefined;
export interface XmlFields {
  [name: string]: XmlValue;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};
const encoded = (text: string): string => text.replace(/[&<>"\r]/g, (one) => entities[one] ?? one);

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((one) => element(name, one)).join('');
  const inner =
    typeof value === 'object'
      ? Object.entries(value)
          .map(([child, of]) => element(child, of))
          .join('')
      : encoded(String(value));
  return `<${name}>${inner}</${name}>`;
}

/** A document of the S3 namespace; lists repeat their element. */
export function xmlAnswer(root: string, fields: XmlFields): RestAnswer {
  const inner = element(root, fields).slice(root.length + 2);
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}`,
  };
}

export interface XmlElement {
  name: string;
  text: string;
  children: XmlElement[];
}

export const malformedXml = (): AwsError =>
  new AwsError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
    400,
  );

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decoded = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex, decimal, name) => {
    if (name !== undefined) {
      const character = named[name];
      if (character === undefined) throw malformedXml();
      return character;
    }
    return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
  });

/** Reads elements and text: no comments, CDATA or document types, which no S3 client sends. */
export function parseXml(source: string): XmlElement {
  const outer: XmlElement = { name: '', text: '', children: [] };
  const open = [outer];
  let end = 0;
  for (const match of source.matchAll(/([^<]*)<(?:\?[^>]*\?|(\/?)([\w:.-]+)(?:\s[^<>]*?)?(\/?))>/gy)) {
    end = match.index + match[0].length;
    const [, text = '', closing, name, empty] = match;
    const current = open.at(-1) ?? outer;
    current.text += decoded(text);
    if (name === undefined) continue;
    if (closing) {
      if (open.length < 2 || current.name !== name) throw malformedXml();
      open.pop();
    } else {
      const child: XmlElement = { name, text: '', children: [] };
      current.children.push(child);
      if (!empty) open.push(child);
    }
  }
  const [root, ...more] = outer.children;
  if (open.length !== 1 || source.slice(end).trim() !== '' || !root || more.length > 0) throw malformedXml();
  return root;
}

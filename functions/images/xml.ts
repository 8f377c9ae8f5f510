/**
 * Reads XML as its elements, attributes and texts, and nothing that isn't well-formed. Declarations of entities and
 * processing instructions are refused: a picture needs none, and each is a way to reach something else. A document's
 * type is named by many programs that draw; nobody loads what it names.
 */

export type XmlPart =
  | { kind: 'open'; name: string; attributes: Map<string, string> }
  | { kind: 'close'; name: string }
  | { kind: 'text'; text: string };

export class XmlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'XmlError';
  }
}

const nameCharacters = '[A-Za-z_\\u00c0-\\ufffd][\\w.\\-\\u00b7-\\ufffd]*';
const name = `${nameCharacters}(?::${nameCharacters})?`;
const declaration =
  /^<\?xml\s+version\s*=\s*(["'])1\.[01]\1(?:\s+encoding\s*=\s*(["'])utf-8\2)?(?:\s+standalone\s*=\s*(["'])(?:yes|no)\3)?\s*\?>/i;
const documentType = /<!DOCTYPE\s+\w+(?:\s+PUBLIC\s+"[^"<>&]*"\s+"[^"<>&]*")?\s*>/y;
const openStart = new RegExp(`<(${name})`, 'y');
const attribute = new RegExp(`\\s+(${name})\\s*=\\s*(?:"([^<"]*)"|'([^<']*)')`, 'y');
const openEnd = /\s*(\/?)>/y;
const close = new RegExp(`</(${name})\\s*>`, 'y');
const deepest = 100;

/** Throws `XmlError`. Takes time in proportion to the text. */
export function* readXml(source: string): Generator<XmlPart> {
  const text = source.replace(/^\ufeff/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are no characters of XML
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text))
    throw new XmlError('it contains control characters');
  const open: string[] = [];
  let roots = 0;
  let hasType = false;
  let at = declaration.exec(text)?.[0].length ?? 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const until = (start: string, end: string): string => {
    const stop = text.indexOf(end, at + start.length);
    if (stop < 0) throw new XmlError(`"${start}" is never closed`);
    const inside = text.slice(at + start.length, stop);
    at = stop + end.length;
    return inside;
  };
  while (at < text.length) {
    if (text.startsWith('<!--', at)) {
      if (until('<!--', '-->').includes('--')) throw new XmlError('a comment contains "--"');
    } else if (text.startsWith('<![CDATA[', at) && open.length > 0) {
      yield { kind: 'text', text: until('<![CDATA[', ']]>') };
    } else if (roots === 0 && !hasType && match(documentType)) {
      hasType = true;
    } else if (text.startsWith('<!', at)) {
      throw new XmlError('its DOCTYPE declares entities or has more than a name');
    } else if (text.startsWith('<?', at)) {
      throw new XmlError('it contains a processing instruction');
    } else if (text.startsWith('</', at)) {
      const found = match(close)?.[1];
      const expected = open.pop();
      if (found === undefined || found !== expected)
        throw new XmlError(
          expected ? `<${expected}> is not closed` : 'it has an end tag without a start tag',
        );
      yield { kind: 'close', name: found };
    } else if (text[at] === '<') {
      const found = match(openStart)?.[1];
      if (found === undefined) throw new XmlError(`"${text.slice(at, at + 10)}" is not a valid tag`);
      if (open.length === 0 && ++roots > 1) throw new XmlError('it has more than one root element');
      const attributes = new Map<string, string>();
      for (let one = match(attribute); one; one = match(attribute)) {
        const [, key = '', double, single] = one;
        if (attributes.has(key)) throw new XmlError(`<${found}> has "${key}" twice`);
        attributes.set(key, decoded(double ?? single ?? ''));
      }
      const end = match(openEnd);
      if (!end) throw new XmlError(`<${found}> has an invalid attribute`);
      yield { kind: 'open', name: found, attributes };
      if (end[1]) yield { kind: 'close', name: found };
      else if (open.push(found) > deepest)
        throw new XmlError(`its elements are nested more than ${deepest} deep`);
    } else {
      const next = text.indexOf('<', at);
      const plain = text.slice(at, next < 0 ? text.length : next);
      at += plain.length;
      if (plain.includes(']]>')) throw new XmlError('its text contains "]]>"');
      if (open.length > 0) yield { kind: 'text', text: decoded(plain) };
      else if (plain.trim() !== '') throw new XmlError('it has text outside the root element');
    }
  }
  if (open.length > 0) throw new XmlError(`<${open.at(-1)}> is not closed`);
  if (roots === 0) throw new XmlError('it has no elements');
}

const predefined: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** With its references as the characters that they stand for. */
function decoded(text: string): string {
  return text.replace(/&([^&;]{0,32};)?/g, (whole, reference: string | undefined) => {
    const [, hex, decimal, word] =
      /^(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));$/i.exec(reference ?? '') ?? [];
    const code = hex ? Number.parseInt(hex, 16) : decimal ? Number(decimal) : undefined;
    const character = code === undefined ? predefined[word ?? ''] : characterOf(code);
    if (character === undefined)
      throw new XmlError(`"${whole}" is not a valid character reference or predefined entity`);
    return character;
  });
}

const characterOf = (code: number): string | undefined =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff))
    ? String.fromCodePoint(code)
    : undefined;

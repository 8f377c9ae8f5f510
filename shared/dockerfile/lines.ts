/**
 * A Dockerfile by its instructions, split exactly as BuildKit splits it: whoever reads it otherwise checks one image
 * and gets another. Nothing here fails; what no engine would take is passed on as it stands.
 */
import { heredocsOf } from './command.ts';
import { type Dialect, newest } from './dialects.ts';
import { plainlyTrimmed } from './go-text.ts';

/** One instruction with its continuation lines joined. */
export interface Line {
  text: string;
  /** Of each character of `text`, its place in the Dockerfile. */
  at: number[];
  /** Text of its here-documents. */
  body: string;
}

/** An image that a parser directive names. */
export interface Directive {
  value: string;
  /** Absent where its text isn't written as it is read. */
  start?: number;
}

export interface Lines {
  /** What `# syntax=` names: the program that is to read the rest. */
  syntaxes: Directive[];
  /** Continues lines and escapes characters. */
  escapeMark: string;
  lines: Line[];
  /** A here-document without an end, which ends the build. */
  openHeredoc: boolean;
}

/** What Go's `unicode.IsSpace` says. */
const leadingSpace = /^\p{White_Space}+/u;
const withoutIndent = (raw: string) => raw.replace(leadingSpace, '');

export function readLines(dockerfile: string, dialect: Dialect = newest): Lines {
  const lines: Line[] = [];
  const physical = physicalLines(dockerfile);
  let escapeMark = '\\';
  let directives = true;
  let openHeredoc = false;
  let current: Line | undefined;
  for (let next = physical.next(); !next.done; next = physical.next()) {
    const { raw, offset } = next.value;
    const bare = withoutIndent(raw);
    if (directives) {
      const [key, value = ''] = directiveIn(bare, '#') ?? [''];
      directives = dialect.directives.includes(key);
      if (directives && key === 'escape' && value === '`') escapeMark = '`';
    }
    // Within an instruction, comments and empty lines are nothing.
    if (bare === '' || bare.startsWith('#')) continue;
    const [, kept = raw] = continued[escapeMark === '`' ? 'backtick' : 'backslash'].exec(raw) ?? [];
    const from = current ? 0 : Math.min(raw.length - bare.length, kept.length);
    current ??= { text: '', at: [], body: '' };
    current.text += kept.slice(from);
    for (let i = from; i < kept.length; i++) current.at.push(offset + i);
    if (kept.length < raw.length) continue;
    lines.push(current);
    const { body, isOpen } = bodyOf(heredocsOf(current.text, escapeMark, dialect), physical);
    current.body = body;
    openHeredoc ||= isOpen;
    current = undefined;
  }
  if (current && current.text !== '') lines.push(current);
  return { syntaxes: syntaxesOf(dockerfile), escapeMark, lines, openHeredoc };
}

/** Name in small letters, and value. */
function directiveIn(line: string, mark: '#' | '//'): [string, string] | undefined {
  if (!line.startsWith(mark)) return undefined;
  const equals = line.indexOf('=');
  const [, name] =
    /^\p{White_Space}*([a-zA-Z][a-zA-Z0-9]*)[\t\f\r ]*$/u.exec(
      line.slice(mark.length, Math.max(equals, 0)),
    ) ?? [];
  const value = plainlyTrimmed(line.slice(equals + 1));
  return name === undefined || value === '' ? undefined : [name.toLowerCase(), value];
}

/** An escape character at the end continues the line, unless it is escaped itself. */
const continued = {
  backslash: /^((?:.*[^\\])?)\\[ \t]*$/s,
  backtick: /^((?:.*[^`])?)`[ \t]*$/s,
};

function bodyOf(
  heredocs: { name: string; trimsTabs: boolean }[],
  physical: Generator<{ raw: string }>,
): { body: string; isOpen: boolean } {
  let body = '';
  let isOpen = false;
  for (const { name, trimsTabs } of heredocs) {
    isOpen = true;
    for (let next = physical.next(); !next.done; next = physical.next()) {
      const { raw } = next.value;
      isOpen = (trimsTabs ? raw.replace(/^\t+/, '') : raw) !== name;
      if (!isOpen) break;
      body += `${raw}\n`;
    }
  }
  return { body, isOpen };
}

function* physicalLines(text: string): Generator<{ raw: string; offset: number }> {
  let offset = text.startsWith('\uFEFF') ? 1 : 0;
  while (offset < text.length) {
    const feed = text.indexOf('\n', offset);
    const end = feed < 0 ? text.length : feed;
    let last = end;
    while (last > offset && text[last - 1] === '\r') last--;
    yield { raw: text.slice(offset, last), offset };
    offset = end + 1;
  }
}

/**
 * Engines differ in which comments may stand above `# syntax=`, and newer ones know it as `// syntax=` and in JSON:
 * whatever one of them takes for it is one.
 */
function syntaxesOf(dockerfile: string): Directive[] {
  const found: Directive[] = [];
  for (const { raw, offset } of physicalLines(dockerfile)) {
    if (raw.startsWith('#!') && found.length === 0) continue;
    const [name, text = ''] = directiveIn(raw, '#') ?? directiveIn(raw, '//') ?? [];
    if (name === undefined) break;
    const [value = ''] = text.split(' ');
    if (name === 'syntax') found.push({ value, start: offset + raw.indexOf(text, raw.indexOf('=')) });
  }
  return found.length > 0 ? found : jsonSyntax(dockerfile);
}

/** What a document in JSON names; some engines take the key in any letters. */
function jsonSyntax(dockerfile: string): Directive[] {
  const [, text = ''] = /^\uFEFF?(?:#![^\n]*\n)?([\s\S]*)$/.exec(dockerfile) ?? [];
  if (!/^[\t\n\r ]*\{/.test(text)) return [];
  const written = [...dockerfile.matchAll(/"([^"\\]*)"/dg)];
  return membersOf(text).flatMap(([name, value]) => {
    if (!/^syntax$/iu.test(name) || typeof value !== 'string' || value === '') return [];
    const [place, ...others] = written.filter((match) => match[1] === value);
    const start = others.length === 0 ? place?.indices?.[1]?.[0] : undefined;
    return [{ value, ...(start === undefined ? {} : { start }) }];
  });
}

function membersOf(json: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(json) as object);
  } catch {
    // Not JSON, so a Dockerfile that begins oddly: the engine's to refuse.
    return [];
  }
}

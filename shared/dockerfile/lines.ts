/**
 * A Dockerfile by its instructions, split exactly as BuildKit splits it: whoever reads it otherwise checks one image
 * and gets another. Nothing here fails; what no engine would take is passed on as it stands.
 */
import { heredocsOf } from './command.ts';

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
  start: number;
}

export interface Lines {
  /** What `# syntax=` names: the program that is to read the rest. */
  syntaxes: Directive[];
  /** Continues lines and escapes characters. */
  escapeMark: string;
  lines: Line[];
}

/** What Go's `unicode.IsSpace` says. */
const leadingSpace = /^\p{White_Space}+/u;
const withoutIndent = (raw: string) => raw.replace(leadingSpace, '');

export function readLines(dockerfile: string): Lines {
  const lines: Line[] = [];
  const physical = physicalLines(dockerfile);
  let escapeMark = '\\';
  let directives = true;
  let current: Line | undefined;
  for (let next = physical.next(); !next.done; next = physical.next()) {
    const { raw, offset } = next.value;
    const bare = withoutIndent(raw);
    if (directives) {
      const [, key = '', value = ''] =
        /^#\p{White_Space}*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/u.exec(bare) ?? [];
      directives = ['syntax', 'escape', 'check'].includes(key.toLowerCase());
      if (directives && key.toLowerCase() === 'escape' && value === '`') escapeMark = '`';
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
    current.body = bodyOf(heredocsOf(current.text, escapeMark), physical);
    current = undefined;
  }
  if (current && current.text !== '') lines.push(current);
  return { syntaxes: syntaxesOf(dockerfile), escapeMark, lines };
}

/** An escape character at the end continues the line, unless it is escaped itself. */
const continued = {
  backslash: /^((?:.*[^\\])?)\\[ \t]*$/s,
  backtick: /^((?:.*[^`])?)`[ \t]*$/s,
};

function bodyOf(
  heredocs: { name: string; trimsTabs: boolean }[],
  physical: Generator<{ raw: string }>,
): string {
  let body = '';
  for (const { name, trimsTabs } of heredocs)
    for (let next = physical.next(); !next.done; next = physical.next()) {
      const { raw } = next.value;
      if ((trimsTabs ? raw.replace(/^\t+/, '') : raw) === name) break;
      body += `${raw}\n`;
    }
  return body;
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
    const match = /^(?:#|\/\/)\p{White_Space}*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/du.exec(raw);
    if (!match) break;
    const [value = ''] = (match[2] ?? '').split(' ');
    if (match[1]?.toLowerCase() === 'syntax')
      found.push({ value, start: offset + (match.indices?.[2]?.[0] ?? 0) });
  }
  const inJson =
    found.length === 0 && /^\p{White_Space}*\{/u.test(dockerfile) ? jsonSyntax(dockerfile) : undefined;
  const start = inJson === undefined ? -1 : dockerfile.indexOf(inJson);
  return inJson === undefined || start < 0 ? found : [{ value: inJson, start }];
}

function jsonSyntax(text: string): string | undefined {
  try {
    const { syntax } = JSON.parse(text) as { syntax?: unknown };
    return typeof syntax === 'string' && syntax !== '' ? syntax : undefined;
  } catch {
    // Not JSON, so a Dockerfile that begins oddly: the engine's to refuse.
    return undefined;
  }
}

/** One instruction's keyword, flags and arguments, taken apart as BuildKit does it. */
import { type Dialect, newest } from './dialects.ts';
import { lowered, trimmed } from './go-text.ts';
import { WordError } from './word-errors.ts';
import { splitWords } from './words.ts';

export interface Flag {
  /** Without its dashes. */
  name: string;
  /** Without quotes and escapes. */
  value: string;
  /** Of each character of `value`, its place in the line. */
  at: number[];
}

export interface Command {
  /** In capitals. */
  keyword: string;
  flags: Flag[];
  /** What follows the flags. */
  args: string;
  /** Where `args` begins in the line. */
  argsAt: number;
  /** A character of a flag that engines don't read as one. */
  oddCharacter?: string | undefined;
}

interface Reading {
  dialect?: Dialect;
  /** Where the instruction begins in the line: what `ONBUILD` puts off begins later. */
  from?: number;
}

export function readCommand(
  text: string,
  escapeMark: string,
  { dialect = newest, from = 0 }: Reading = {},
): Command {
  const flagMark = dialect.flagEscape === 'directive' ? escapeMark : '\\';
  const start = from + (/^\p{White_Space}*/u.exec(text.slice(from))?.[0].length ?? 0);
  const [all = '', keyword = ''] = /^([^\t\v\f\r ]*)[\t\v\f\r ]*/.exec(text.slice(start)) ?? [];
  const flags: Flag[] = [];
  let oddCharacter: string | undefined;
  let at = start + all.length;
  for (;;) {
    while (isSpace(text[at])) at++;
    if (!text.startsWith('--', at)) break;
    const { flag, end, odd } = readFlag(text, flagMark, at);
    oddCharacter ??= odd;
    at = end;
    if (flag.length === 2) break;
    const equals = flag.findIndex(({ character }) => character === '=');
    const value = equals < 0 ? [] : flag.slice(equals + 1);
    flags.push({
      name: asText(flag.slice(2, equals < 0 ? undefined : equals)),
      value: asText(value),
      at: value.map((one) => one.at),
    });
  }
  const args = trimmed(text.slice(at));
  const argsAt = at + (/^\p{White_Space}*/u.exec(text.slice(at))?.[0].length ?? 0);
  return {
    keyword: lowered(keyword).toUpperCase(),
    flags,
    args,
    argsAt,
    oddCharacter,
  };
}

interface Character {
  character: string;
  at: number;
}

const asText = (characters: Character[]) => characters.map(({ character }) => character).join('');
const isSpace = (character: string | undefined) => character !== undefined && /[\t-\r ]/.test(character);
/**
 * Flags are read byte by byte, and two bytes of other characters are spaces there. A carriage return ends lines within
 * comma-separated text.
 */
const isOdd = (character: string) =>
  character === '\r' ||
  (character > '\x7f' && Buffer.from(character).some((byte) => byte === 0x85 || byte === 0xa0));

function readFlag(
  text: string,
  escapeMark: string,
  start: number,
): { flag: Character[]; end: number; odd: string | undefined } {
  const flag: Character[] = [];
  let quote: string | undefined;
  let odd: string | undefined;
  let at = start;
  for (; at < text.length; at++) {
    let character = text[at] ?? '';
    if (quote === undefined && isSpace(character)) break;
    const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (isOdd(whole)) odd ??= whole;
    if (quote === undefined ? character === '"' || character === "'" : character === quote) {
      quote = quote === undefined ? character : undefined;
      continue;
    }
    if (character === escapeMark) {
      // At the end there is nothing to escapeMark.
      if (at + 1 === text.length) continue;
      character = text[++at] ?? '';
    }
    flag.push({ character, at });
  }
  return { flag, end: at, odd };
}

/** Names of the here-documents that an instruction opens, in their order. */
export function heredocsOf(
  text: string,
  escapeMark: string,
  dialect: Dialect = newest,
): { name: string; trimsTabs: boolean }[] {
  if (dialect.heredocs === 'none' || !text.includes('<<') || !takesHeredocs(text, escapeMark, dialect))
    return [];
  return wordsOf(text, dialect, true).flatMap((word) => {
    const [, dash, rest = ''] = /^\d*<<(-?)([^<]*)$/.exec(word) ?? [];
    const [name, ...more] = wordsOf(rest, dialect);
    return name === undefined || more.length > 0 ? [] : [{ name, trimsTabs: dash === '-' }];
  });
}

/** With a quote left open there are none. */
function wordsOf(text: string, dialect: Dialect, raw = false): string[] {
  try {
    return splitWords(text, dialect, raw);
  } catch (error) {
    if (error instanceof WordError) return [];
    throw error;
  }
}

function takesHeredocs(text: string, escapeMark: string, dialect: Dialect): boolean {
  const outer = readCommand(text, escapeMark, { dialect });
  const { keyword, args } =
    outer.keyword === 'ONBUILD' ? readCommand(text, escapeMark, { dialect, from: outer.argsAt }) : outer;
  return ['RUN', 'COPY', 'ADD'].includes(keyword) && !isList(dialect.wholeLists ? args : listAtStart(args));
}

/** A list of texts, without what stands behind it. */
const listAtStart = (args: string) => /^\[(?:"(?:[^"\\]|\\.)*"|[^"\]])*\]/.exec(args)?.[0] ?? args;

/** The form without a shell. */
function isList(args: string): boolean {
  if (!args.startsWith('[')) return false;
  try {
    const all: unknown = JSON.parse(args);
    return Array.isArray(all) && all.every((one) => typeof one === 'string');
  } catch {
    // Then it is a command that begins with a bracket.
    return false;
  }
}

/** Fields of comma-separated text, each by its characters; none where its quotes are wrong. */
export function fieldsOf({ value, at }: Pick<Flag, 'value' | 'at'>): Pick<Flag, 'value' | 'at'>[] {
  const fields: Pick<Flag, 'value' | 'at'>[] = [];
  for (let i = 0; i <= value.length; i++) {
    const field = { value: '', at: [] as number[] };
    const take = (index: number) => {
      field.value += value[index];
      field.at.push(at[index] ?? 0);
    };
    if (value[i] === '"') {
      for (i++; value[i] !== '"' || value[i + 1] === '"'; i++) {
        if (i >= value.length) return [];
        if (value[i] === '"') i++;
        take(i);
      }
      i++;
      if (i < value.length && value[i] !== ',') return [];
    } else
      for (; i < value.length && value[i] !== ','; i++) {
        if (value[i] === '"') return [];
        take(i);
      }
    fields.push(field);
  }
  return fields;
}

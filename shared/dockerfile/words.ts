/** Words as BuildKit reads them: quotes, escapes and variables, much as in a shell. */
import { type Dialect, newest } from './dialects.ts';
import { isSpace } from './go-text.ts';
import { trimmedByPattern, withReplacement } from './patterns.ts';
import { UnclearWordError, WordError } from './word-errors.ts';

/** `text` as one word, with its variables put in. Throws `WordError` and `UnclearWordError`. */
export const expandWord = (
  text: string,
  variables: ReadonlyMap<string, string>,
  escapeMark: string,
  { operators }: Pick<Dialect, 'operators'> = newest,
): string => new WordReader(text, { escapeMark, variables, operators, apart: false }).read().text;

/** Words without their quotes; with `raw` as they are written. Variables stay. Throws `WordError`. */
export const splitWords = (text: string, { heredocs, operators }: Dialect, raw = false): string[] =>
  new WordReader(text, { escapeMark: '\\', raw, apart: heredocs === 'apart', operators }).read().words;

/** `ARG`'s and `ENV`'s words, quotes and variables as they are written. Never fails. */
export function rawWords(text: string, escapeMark: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    let character = text[at] ?? '';
    if (quote === undefined && isSpace(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (character === escapeMark && quote !== "'") {
      if (at + 1 === text.length) break;
      word += character;
      character = text[++at] ?? '';
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    word += character;
  }
  return word === '' ? words : [...words, word];
}

/** With variables put in: arguments that double one another end here, and every name of an image is shorter. */
const longestValue = 4096;

interface Reading {
  escapeMark: string;
  /** Undefined: variables stay as they are written. */
  variables?: ReadonlyMap<string, string>;
  /** Quotes and escapes stay in the result. */
  raw?: boolean | undefined;
  /** What begins a here-document, and a space behind it, belong together. */
  apart: boolean;
  operators: RegExp;
}

/** Reads a part of a word; yields a part within it, and gets that one's text back. */
type Part = Generator<Part, string, string>;

const variableName = /\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*/uy;
/** The name of a here-document may stand apart. */
const redirection = /<<[\t\r ]*|</y;

/** Parts within parts are kept on a stack of its own: how deep they go is the writer's choice. */
class WordReader {
  readonly #text: string;
  readonly #reading: Reading;
  readonly #words: string[] = [];
  #at = 0;
  #word = '';
  #keepsEscapes: boolean;
  #inPattern = false;

  constructor(text: string, reading: Reading) {
    this.#text = text;
    this.#reading = reading;
    this.#keepsEscapes = reading.raw === true;
    // A byte order mark at the beginning of a word is none of its characters.
    if (text.startsWith('\uFEFF')) this.#at = 1;
  }

  read(): { text: string; words: string[] } {
    const stack: Part[] = [this.#until(undefined)];
    let text = '';
    for (let part = stack.at(-1); part; part = stack.at(-1)) {
      const step = part.next(text);
      if (step.done) stack.pop();
      else stack.push(step.value);
      text = step.done ? step.value : '';
    }
    this.#endWord();
    return { text, words: this.#words };
  }

  #peek = () => this.#text[this.#at];

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  #endWord(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }

  /** Only the outermost part is split into words. */
  #collect(text: string, splits: boolean): void {
    if (!splits) this.#word += text;
    else
      for (const character of text)
        if (isSpace(character)) this.#endWord();
        else this.#word += character;
  }

  *#until(stop: string | undefined, kind: 'word' | 'pattern' | 'replacement' = 'word'): Part {
    const before = { keeps: this.#keepsEscapes, inPattern: this.#inPattern };
    this.#inPattern = kind === 'pattern';
    if (stop !== undefined) this.#keepsEscapes = kind !== 'word';
    let result = '';
    const add = (text: string, splits = false) => {
      result += text;
      if (this.#reading.variables && result.length > longestValue)
        throw new UnclearWordError('has a value that is longer than an image name can be');
      if (stop === undefined) this.#collect(text, splits);
    };
    for (let next = this.#peek(); next !== stop; next = this.#peek()) {
      if (next === undefined) throw new WordError(`it lacks a ${stop}`);
      if (kind !== 'word') this.#requirePlain(next);
      if (next === "'") add(this.#singleQuoted());
      else if (next === '"') add(yield this.#doubleQuoted());
      else if (next === '$') add(yield this.#variable(), true);
      else if (next === '<' && this.#reading.apart) add(this.#match(redirection));
      else if (next !== this.#reading.escapeMark) {
        this.#at++;
        add(next, true);
      } else {
        const escaped = this.#text[this.#at + 1] ?? '';
        this.#at += 2;
        add((this.#keepsEscapes ? next : '') + escaped);
      }
    }
    if (stop !== undefined) this.#at++;
    this.#keepsEscapes = before.keeps;
    this.#inPattern = before.inPattern;
    return result;
  }

  /** Quotes within patterns have had other meanings. */
  #requirePlain(next: string): void {
    const { variables, escapeMark } = this.#reading;
    if (variables && (next === '"' || next === "'" || (escapeMark !== '\\' && '`\\'.includes(next))))
      throw new UnclearWordError(`has ${next} in the pattern of a substitution. Engines read it differently`);
  }

  #quoted = (text: string, quote: string) => (this.#reading.raw ? quote + text + quote : text);

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new WordError("it lacks a '");
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    const { escapeMark } = this.#reading;
    return this.#quoted(
      this.#inPattern ? inside.replaceAll(escapeMark, escapeMark + escapeMark) : inside,
      "'",
    );
  }

  *#doubleQuoted(): Part {
    const { escapeMark, raw } = this.#reading;
    let result = '';
    this.#at++;
    for (let next = this.#peek(); next !== '"'; next = this.#peek()) {
      if (next === undefined) throw new WordError('it lacks a "');
      if (next === '$') {
        result += yield this.#variable();
        if (this.#reading.variables && result.length > longestValue)
          throw new UnclearWordError('has a value that is longer than an image name can be');
        continue;
      }
      this.#at++;
      const following = this.#peek();
      if (next !== escapeMark) result += next;
      else if (following === '"' || following === '$' || following === escapeMark) {
        result += this.#keepsEscapes ? next + following : following;
        this.#at++;
      } else if (following !== undefined)
        result += this.#keepsEscapes && (!raw || this.#inPattern) ? next + next : next;
    }
    this.#at++;
    return this.#quoted(result, '"');
  }

  *#variable(): Part {
    const { variables } = this.#reading;
    this.#at++;
    const braced = this.#peek() === '{';
    if (braced) this.#at++;
    const name = this.#match(variableName);
    if (!braced) return name === '' ? '$' : variables ? (variables.get(name) ?? '') : `$${name}`;
    const first = this.#peek();
    this.#at++;
    if (first === undefined || (name === '' && '{}:'.includes(first))) throw badSubstitution(first);
    if (first === '}') return variables ? (variables.get(name) ?? '') : `\${${name}}`;
    const operator = first === ':' ? `:${this.#text[this.#at++]}` : first;
    if (/^:[#%]$/.test(operator) && variables)
      throw new UnclearWordError(`has a substitution with ${operator}, which only some engines support`);
    if (!this.#reading.operators.test(operator)) throw badSubstitution(operator);
    if (operator === '/') return yield this.#replaced(name);
    if (operator === '#' || operator === '%') {
      const pattern = yield this.#until('}', 'pattern');
      return variables
        ? readable(trimmedByPattern(variables.get(name) ?? '', pattern, operator))
        : `\${${name}${operator}${pattern}}`;
    }
    const word = yield this.#until('}');
    return variables
      ? substituted(name, variables.get(name), operator, word)
      : `\${${name}${operator}${word}}`;
  }

  *#replaced(name: string): Part {
    const { variables } = this.#reading;
    const everywhere = this.#peek() === '/';
    if (everywhere) this.#at++;
    const pattern = yield this.#until('/', 'pattern');
    const replacement = yield this.#until('}', 'replacement');
    if (variables && everywhere && replacement.includes('$'))
      throw new UnclearWordError('has $ in the replacement of a substitution. Engines read it differently');
    return variables
      ? readable(withReplacement(variables.get(name) ?? '', pattern, replacement, everywhere))
      : `\${${name}/${pattern}/${replacement}}`;
  }
}

const badSubstitution = (operator = 'an end') => new WordError(`it has a substitution with ${operator}`);

function readable(text: string | undefined): string {
  if (text === undefined) throw new WordError('it has a pattern that cannot be read');
  return text;
}

function substituted(name: string, value: string | undefined, operator: string, word: string): string {
  const isThere = value !== undefined && !(operator.startsWith(':') && value === '');
  if (operator.endsWith('+')) return isThere ? word : '';
  if (isThere) return value;
  if (operator.endsWith('?')) throw new WordError(word === '' ? `${name} has no value` : word);
  return word;
}

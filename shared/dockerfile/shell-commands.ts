/**
 * The commands that a `RUN` runs, each with its words and who runs it: text that is only printed, quoted or fed to
 * another program is none. As much of a shell as the lint needs, and no more: it never fails.
 */
import { heredocsOf } from './command.ts';
import type { Instruction } from './stages.ts';

export interface ShellCommand {
  /** Without quotes; variables stay as they are written. */
  words: string[];
  /** Who runs it, where it says so: `sudo` and its like. */
  user?: string;
}

/** Scripts within scripts: more of them than anyone writes. */
const deepest = 8;

export function commandsOf({ args, body, source }: Instruction, escapeMark: string): ShellCommand[] {
  const list = listOf(args);
  if (list) return commandsIn(list, undefined, deepest);
  const heredocs = heredocsOf(source.text, escapeMark);
  if (heredocs.length === 0) return scriptCommands(args, undefined, deepest);
  const own = scriptCommands(args, undefined, deepest);
  const [first] = own;
  // Alone, a here-document is the script; otherwise it is what the command reads.
  const readsScript = own.length === 0 || (first !== undefined && own.length === 1 && isShell(first.words));
  return readsScript ? [...own, ...scriptCommands(body, first?.user, deepest)] : own;
}

/** The form without a shell. */
function listOf(args: string): string[] | undefined {
  if (!args.startsWith('[')) return undefined;
  try {
    const all: unknown = JSON.parse(args);
    return Array.isArray(all) && all.every((one) => typeof one === 'string') ? all : undefined;
  } catch {
    // A command that begins with a bracket.
    return undefined;
  }
}

/** A program of another language, by its first line, has no commands. */
const scriptCommands = (script: string, user: string | undefined, depth: number): ShellCommand[] =>
  depth === 0 || (script.startsWith('#!') && !/^#!.*\b(?:ba|da|z|k)?sh\b/.test(script))
    ? []
    : simpleCommands(script).flatMap((words) => commandsIn(words, user, depth));

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh']);
const nameOf = (word = '') => word.slice(word.lastIndexOf('/') + 1);
const isShell = (words: string[]) => shells.has(nameOf(words[0])) && !words.some((word) => /^-\w*c$/.test(word));
const isAssignment = (word: string) => /^\w+\+?=/.test(word);

/** Words that stand before a command, and options of theirs that take a value. */
const prefixes: Record<string, string> = {
  '!': '',
  '{': '',
  if: '',
  then: '',
  else: '',
  elif: '',
  do: '',
  while: '',
  until: '',
  time: 'fo',
  exec: 'a',
  command: '',
  builtin: '',
  nohup: '',
  env: 'uCS',
  nice: 'n',
  ionice: 'cnp',
  timeout: 'ks',
  stdbuf: 'ioe',
  xargs: 'IndLPsEa',
  eatmydata: '',
  retry: '',
};
/** Prefixes whose first argument isn't the command. */
const ownArguments: Record<string, number> = { timeout: 1 };
const changesUser: Record<string, string> = { sudo: 'ugChpRrTtD', doas: 'uC', gosu: '', 'su-exec': '', runuser: 'ugGs' };

/** What the words run: other commands' commands, whoever they name for it. */
function commandsIn(words: string[], user: string | undefined, depth: number): ShellCommand[] {
  if (depth === 0) return [];
  const start = words.findIndex((word) => !isAssignment(word));
  if (start < 0) return [];
  const [name = '', ...rest] = [nameOf(words[start]), ...words.slice(start + 1)];
  const within = (more: string[], by = user) => commandsIn(more, by, depth - 1);
  if (Object.hasOwn(prefixes, name))
    return within(withoutOptions(rest, prefixes[name] ?? '').words.slice(ownArguments[name] ?? 0));
  if (name === 'eval') return scriptCommands(rest.join(' '), user, depth - 1);
  if (name === 'su') return asUser(rest, depth);
  if (Object.hasOwn(changesUser, name)) {
    const { words: left, given } = withoutOptions(rest, changesUser[name] ?? '');
    const named = given.get('u') ?? given.get('user');
    if (name === 'gosu' || name === 'su-exec') return within(left.slice(1), left[0]);
    return within(left, named ?? 'root');
  }
  if (shells.has(name)) {
    const script = scriptOf(rest);
    if (script !== undefined) return scriptCommands(script, user, depth - 1);
  }
  return [{ words: [name, ...rest], ...(user === undefined ? {} : { user }) }];
}

/** `su [-] [user] -c script`. */
function asUser(words: string[], depth: number): ShellCommand[] {
  const at = words.findIndex((word) => word === '-c' || word === '--command');
  const others = words.filter((word, index) => !word.startsWith('-') && index !== at + 1);
  return at < 0 ? [] : scriptCommands(words[at + 1] ?? '', others[0] ?? 'root', depth - 1);
}

/** What `sh -c` runs. */
function scriptOf(words: string[]): string | undefined {
  const at = words.findIndex((word) => /^-\w*c$/.test(word));
  const isOption = (word: string) => word.startsWith('-') || word.startsWith('+') || word === 'pipefail';
  return at >= 0 && words.slice(0, at).every(isOption) ? words[at + 1] : undefined;
}

/** Without options at the beginning, the values of those in `valued`, and assignments. */
function withoutOptions(words: string[], valued: string): { words: string[]; given: Map<string, string> } {
  const given = new Map<string, string>();
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (isAssignment(word)) continue;
    if (!word.startsWith('-') || word === '-') break;
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(word);
    if (long) {
      const [, name = '', value] = long;
      if (value !== undefined) given.set(name, value);
      else if (['user', 'group', 'host', 'prompt', 'chdir', 'max-args', 'adjustment', 'signal', 'kill-after'].includes(name))
        given.set(name, words[++at] ?? '');
      continue;
    }
    const index = [...word.slice(1)].findIndex((letter) => valued.includes(letter));
    if (index < 0) continue;
    const letter = word[index + 1] ?? '';
    given.set(letter, word.slice(index + 2) || (words[++at] ?? ''));
  }
  const rest = words.slice(at);
  return { words: rest.slice(Math.max(0, rest.findIndex((word) => !isAssignment(word)))), given };
}

/** A script by its commands, each by its words: quotes, escapes, substitutions `$(…)`, here-documents and comments. */
function simpleCommands(script: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const waiting: { name: string; trimsTabs: boolean }[] = [];
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  const inner = (text: string) => commands.push(...simpleCommands(text));
  for (let at = 0; at < script.length; at++) {
    const character = script[at] ?? '';
    if (character === '\\') {
      const next = script[++at] ?? '';
      if (next !== '\n') word = (word ?? '') + next;
    } else if (character === "'") {
      const end = endOf(script, "'", at + 1);
      word = (word ?? '') + script.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      const end = endOfQuoted(script, at + 1);
      const text = script.slice(at + 1, end);
      for (const [, substituted] of text.matchAll(/\$\(([^()]*)\)/g)) inner(substituted ?? '');
      word = (word ?? '') + text.replace(/\\(["\\$`])/g, '$1');
      at = end;
    } else if (character === '$' && script[at + 1] === '(') {
      const end = endOfBrackets(script, at + 2);
      if (script[at + 2] !== '(') inner(script.slice(at + 2, end));
      word = (word ?? '') + script.slice(at, end + 1);
      at = end;
    } else if (character === '`') {
      const end = endOf(script, '`', at + 1);
      inner(script.slice(at + 1, end));
      word = (word ?? '') + script.slice(at, end + 1);
      at = end;
    } else if (script.startsWith('<<', at) && script[at + 2] !== '<') {
      const [all = '', dash, , name = ''] = /^<<(-?)[ \t]*(["']?)([\w.-]+)\2/.exec(script.slice(at, at + 200)) ?? [];
      endWord();
      if (name !== '') waiting.push({ name, trimsTabs: dash === '-' });
      at += Math.max(all.length - 1, 1);
    } else if (character === '#' && word === undefined) {
      at = endOf(script, '\n', at) - 1;
    } else if (character === '\n') {
      endCommand();
      for (const one of waiting.splice(0)) at = endOfHeredoc(script, at, one);
    } else if (';|()'.includes(character) || (character === '&' && script[at - 1] !== '>' && script[at + 1] !== '>')) {
      endCommand();
    } else if (character === ' ' || character === '\t' || character === '\r') endWord();
    else word = (word ?? '') + character;
  }
  endCommand();
  return commands;
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

function endOfBrackets(text: string, from: number): number {
  let open = 1;
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === "'") at = endOf(text, "'", at + 1);
    else if (character === '"') at = endOfQuoted(text, at + 1);
    else if (character === '(') open++;
    else if (character === ')' && --open === 0) break;
  }
  return at;
}

/** The line feed at the end of what a command reads. */
function endOfHeredoc(script: string, from: number, { name, trimsTabs }: { name: string; trimsTabs: boolean }): number {
  for (let at = from; at < script.length; ) {
    const end = endOf(script, '\n', at + 1);
    const line = script.slice(at + 1, end);
    if ((trimsTabs ? line.replace(/^\t+/, '') : line) === name) return end;
    at = end;
  }
  return script.length;
}

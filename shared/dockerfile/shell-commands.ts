/**
 * The commands that a `RUN` runs, each with its words and who runs it: text that is only printed, quoted or fed to
 * another program is none. As much of a shell as the lint needs, and no more: it never fails.
 */
import { heredocsOf } from './command.ts';
import { simpleCommands } from './shell-words.ts';
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
    : simpleCommands(script, depth).flatMap((words) => commandsIn(words, user, depth));

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh']);
const nameOf = (word = '') => word.slice(word.lastIndexOf('/') + 1);
const isShell = (words: string[]) =>
  shells.has(nameOf(words[0])) && !words.some((word) => /^-\w*c$/.test(word));
const isAssignment = (word: string) => /^\w+\+?=/.test(word);

/** Words that stand before a command, and options of theirs that take a value. */
const prefixes = new Map([
  ...[
    '!',
    '{',
    'if',
    'then',
    'else',
    'elif',
    'do',
    'while',
    'until',
    'command',
    'builtin',
    'nohup',
    'eatmydata',
  ].map((name): [string, string] => [name, '']),
  ['time', 'fo'],
  ['exec', 'a'],
  ['env', 'uCS'],
  ['nice', 'n'],
  ['ionice', 'cnp'],
  ['timeout', 'ks'],
  ['stdbuf', 'ioe'],
  ['xargs', 'IndLPsEa'],
]);
/** The same of those that run it as another user. */
const changesUser = new Map([
  ['sudo', 'ugChpRrTtD'],
  ['doas', 'uC'],
  ['runuser', 'ugGs'],
]);

/** What the words run: other commands' commands, whoever they name for it. */
function commandsIn(words: string[], user: string | undefined, depth: number): ShellCommand[] {
  if (depth === 0) return [];
  const start = words.findIndex((word) => !isAssignment(word));
  if (start < 0) return [];
  const [name = '', ...rest] = [nameOf(words[start]), ...words.slice(start + 1)];
  const within = (more: string[], by = user) => commandsIn(more, by, depth - 1);
  const options = prefixes.get(name);
  if (options !== undefined) {
    const { words: left } = withoutOptions(rest, options);
    return within(name === 'timeout' ? left.slice(1) : left);
  }
  if (name === 'eval') return scriptCommands(rest.join(' '), user, depth - 1);
  if (name === 'su') return asUser(rest, depth);
  if (name === 'gosu' || name === 'su-exec') return within(rest.slice(1), rest[0]);
  const userOptions = changesUser.get(name);
  if (userOptions !== undefined) {
    const { words: left, given } = withoutOptions(rest, userOptions);
    return within(left, given.get('u') ?? given.get('user') ?? 'root');
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
      else if (
        [
          'user',
          'group',
          'host',
          'prompt',
          'chdir',
          'max-args',
          'adjustment',
          'signal',
          'kill-after',
        ].includes(name)
      )
        given.set(name, words[++at] ?? '');
      continue;
    }
    const index = [...word.slice(1)].findIndex((letter) => valued.includes(letter));
    if (index < 0) continue;
    const letter = word[index + 1] ?? '';
    given.set(letter, word.slice(index + 2) || (words[++at] ?? ''));
  }
  const rest = words.slice(at);
  return {
    words: rest.slice(
      Math.max(
        0,
        rest.findIndex((word) => !isAssignment(word)),
      ),
    ),
    given,
  };
}

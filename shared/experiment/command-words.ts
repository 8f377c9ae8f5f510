/** What people write as the first word of a command, meaning a shell to read it. */
import { abridged } from '../text/abridged.ts';

const longest = 120;

/** A word of the user's, in a sentence. */
export const quoted = (word: string) => `\`${abridged(word.trim(), longest)}\``;

/** Commands of shells themselves, which are no programs, or not in every image. */
const builtins = new Set(
  '. : alias bg cd command declare eval exec exit export fg for function getopts hash if jobs let local popd pushd read readonly return set shift shopt source times trap type typeset ulimit umask unalias unset until wait while { ( [['.split(
    ' ',
  ),
);
/** Of these only bash and its like know. */
const ofBash = new Set(['source', 'declare', 'let', 'local', 'popd', 'pushd', 'shopt', 'typeset', '[[']);

const assignment = /^[A-Za-z_][A-Za-z0-9_]*=/;

const list = (words: readonly string[]) =>
  `\`${abridged(JSON.stringify(words).replaceAll('","', '", "'), 2 * longest)}\``;

/** The command as it is for a shell to read. */
export const inShell = (command: readonly string[], shell = 'sh') =>
  command.length === 1 && shell === 'sh' && !/[\s$~*;|&<>]/.test(command[0] ?? '')
    ? list(['sh', command[0] ?? ''])
    : list([shell, '-c', command.join(' ')]);

/** Whether only a shell could make of the line what was meant. */
const isForShell = (line: string, [first = '']: readonly string[]) =>
  /[|&;<>()$`"'\\*?[\]{}~#\n]/.test(line) || builtins.has(first) || assignment.test(first);

/** A sentence on how the command was meant to be read; nothing where its first word may be a program. */
export function misreading(command: readonly string[]): string | undefined {
  const [first = ''] = command;
  if (command.length === 1 && /\S\s+\S/.test(first)) {
    const words = first.trim().split(/\s+/);
    const ways = [...(isForShell(first, words) ? [] : [list(words)]), list(['sh', '-c', first])];
    return `The image has no program ${quoted(first)}. The command has the whole command line as one word: write ${ways.join(', or ')}.`;
  }
  if (first.trim() !== '' && first !== first.trim())
    return `${list([first])} has white space around the name of the program. Write ${list([first.trim(), ...command.slice(1)])}.`;
  if (builtins.has(first))
    return ofBash.has(first)
      ? `${quoted(first)} is a bash builtin, which is neither a program nor known to sh. Write ${list(['bash', '-c', `${first} …`])}${first === 'source' ? ', or use `.` instead of `source`' : ''}.`
      : `${quoted(first)} is a shell builtin, not a program. Write ${list(['sh', '-c', command.join(' ')])}.`;
  if (assignment.test(first))
    return `${quoted(first)} sets a variable only in a shell. Put it into \`env\`, or write ${list(['sh', '-c', command.join(' ')])}.`;
  if (/^~|[$*]/.test(first))
    return `The command runs without a shell, so nothing expands ${quoted(first)}. Write ${list(['sh', '-c', command.join(' ')])}.`;
  return undefined;
}

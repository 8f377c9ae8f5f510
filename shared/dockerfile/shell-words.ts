/**
 * A script by its commands, each by its words: quotes, escapes, substitutions `$(…)`, here-documents and comments.
 * `depth` is how deep substitutions may lie within one another.
 */
export function simpleCommands(script: string, depth: number): string[][] {
  if (depth === 0) return [];
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
  const inner = (text: string) => {
    for (const one of simpleCommands(text, depth - 1)) commands.push(one);
  };
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
      const [all = '', dash, , name = ''] =
        /^<<(-?)[ \t]*(["']?)([\w.-]+)\2/.exec(script.slice(at, at + 200)) ?? [];
      endWord();
      if (name !== '') waiting.push({ name, trimsTabs: dash === '-' });
      at += Math.max(all.length - 1, 1);
    } else if (character === '#' && word === undefined) {
      at = endOf(script, '\n', at) - 1;
    } else if (character === '\n') {
      endCommand();
      for (const one of waiting.splice(0)) at = endOfHeredoc(script, at, one);
    } else if (
      ';|()'.includes(character) ||
      (character === '&' && script[at - 1] !== '>' && script[at + 1] !== '>')
    ) {
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
function endOfHeredoc(
  script: string,
  from: number,
  { name, trimsTabs }: { name: string; trimsTabs: boolean },
): number {
  for (let at = from; at < script.length; ) {
    const end = endOf(script, '\n', at + 1);
    const line = script.slice(at + 1, end);
    if ((trimsTabs ? line.replace(/^\t+/, '') : line) === name) return end;
    at = end;
  }
  return script.length;
}

/** The instructions of a Dockerfile by its stages, each with the number of its line. */
import { type Command, readCommand } from './command.ts';
import { type Dialect, newest } from './dialects.ts';
import { lowered } from './go-text.ts';
import { type Directive, type Line, readLines } from './lines.ts';
import { TooLongError } from './patterns.ts';
import { UnclearWordError, WordError } from './word-errors.ts';
import { expandWord, rawWords } from './words.ts';

/** One instruction, its continuation lines joined. */
export interface Instruction extends Command {
  /** Number of its first line, from 1. */
  line: number;
  /** What follows the first word, flags included. */
  rest: string;
  /** Text of its here-documents; empty where it has none. */
  body: string;
  /** As it stands in the Dockerfile. */
  source: Line;
}

/** One `FROM` with the instructions below it. */
export interface BuildStage {
  line: number;
  /** With build arguments put in; empty where an argument has no value. */
  image: string;
  /** Arguments in `FROM` that have no value there, and no other value in their place. */
  unset: string[];
  /** In small letters: what `AS` names it. */
  name?: string;
  /** The earlier stage that it goes on from; without one, `image` is an image. */
  from?: BuildStage;
  /** Its `FROM`. */
  opening: Instruction;
  instructions: Instruction[];
}

export interface Dockerfile {
  syntaxes: Directive[];
  /** Continues lines and escapes characters. */
  escapeMark: string;
  /** Above the first `FROM`. */
  before: Instruction[];
  stages: BuildStage[];
  /** An engine of this dialect certainly refuses it, before it asks for any image. */
  refused: boolean;
  /** What no reading is certain of. */
  unclear: Unclear[];
}

/** Which image a line names depends on the engine that reads it; `why` continues "line 3 ". */
export interface Unclear {
  line: number;
  why: string;
}

export const unclearFlag = (line: number, character: string): Unclear => ({
  line,
  why: `has ${JSON.stringify(character)} in a flag. Engines read flags byte by byte and may end the flag there. Use other characters`,
});

/** The keywords of a Dockerfile. */
export const keywords: ReadonlySet<string> = new Set([
  'FROM',
  'ARG',
  'RUN',
  'CMD',
  'LABEL',
  'MAINTAINER',
  'EXPOSE',
  'ENV',
  'ADD',
  'COPY',
  'ENTRYPOINT',
  'VOLUME',
  'USER',
  'WORKDIR',
  'ONBUILD',
  'STOPSIGNAL',
  'HEALTHCHECK',
  'SHELL',
]);

/** What an engine sets before the first stage. */
export const platformArgs = {
  TARGETPLATFORM: 'linux/amd64',
  TARGETOS: 'linux',
  TARGETOSVERSION: '',
  TARGETARCH: 'amd64',
  TARGETVARIANT: '',
  BUILDPLATFORM: 'linux/amd64',
  BUILDOS: 'linux',
  BUILDOSVERSION: '',
  BUILDARCH: 'amd64',
  BUILDVARIANT: '',
};

/** Never throws: what is no Dockerfile has instructions of unknown keywords, or none. */
export function readDockerfile(
  dockerfile: string,
  buildArgs: Record<string, string> = {},
  dialect: Dialect = newest,
): Dockerfile {
  const { syntaxes, escapeMark, lines, openHeredoc } = readLines(dockerfile, dialect);
  const before: Instruction[] = [];
  const stages: BuildStage[] = [];
  const named = new Map<string, BuildStage>();
  const instructions = instructionsOf(dockerfile, lines, escapeMark, dialect);
  const target = instructions.findLast(({ keyword }) => keyword === 'FROM');
  const given = { ...platformArgs, TARGETSTAGE: (target && nameOf(target)) ?? 'default' };
  const args = new Map(Object.entries(dialect.targetStage ? given : platformArgs));
  for (const name of args.keys()) if (Object.hasOwn(buildArgs, name)) args.set(name, buildArgs[name] ?? '');
  const words = new Words(args, escapeMark, dialect);
  for (const instruction of instructions) {
    const { keyword, line, oddCharacter } = instruction;
    const current = stages.at(-1);
    if (!keywords.has(keyword)) words.refused = true;
    if (oddCharacter !== undefined) words.unclear.push(unclearFlag(line, oddCharacter));
    if (keyword === 'FROM') {
      const stage = stageOf(instruction, words, named);
      if (stage.name !== undefined) named.set(stage.name, stage);
      stages.push(stage);
    } else if (current) current.instructions.push(instruction);
    else {
      before.push(instruction);
      if (keyword === 'ARG') declare(instruction, words, buildArgs);
      else words.refused = true;
    }
  }
  const certain = words.unclear.length === 0;
  const refused = certain && (words.refused || openHeredoc || stages.length === 0);
  return { syntaxes, escapeMark, before, stages, refused, unclear: words.unclear };
}

/** The image that the finished one lies on, as written; undefined for none, `scratch`, and an argument without a value. */
export function parentReference(dockerfile: string, buildArgs: Record<string, string>): string | undefined {
  let stage = readDockerfile(dockerfile, buildArgs).stages.at(-1);
  while (stage?.from) stage = stage.from;
  return stage && stage.image !== '' && stage.image !== 'scratch' ? stage.image : undefined;
}

/** `NAME`, `NAME=value`, quoted or not, as `ARG`, `ENV` and `LABEL` take them; `value` as it is written. */
export const assignmentsOf = (args: string, escapeMark = '\\'): { name: string; value?: string }[] =>
  rawWords(args, escapeMark).map((word) => {
    const equals = word.indexOf('=');
    return equals < 0 ? { name: word } : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });

/** `ENV name value`, the old form, has one variable; the other as many as it has `=`. */
export function variablesOf(args: string, escapeMark = '\\'): { name: string; value?: string }[] {
  const [, name, value] = /^([^\s=]+)\s+(.*)$/s.exec(args) ?? [];
  return name !== undefined && value !== undefined ? [{ name, value }] : assignmentsOf(args, escapeMark);
}

/** What is given counts before what is written. */
function declare({ args: text, line }: Instruction, words: Words, buildArgs: Record<string, string>): void {
  const { args, escapeMark, dialect } = words;
  for (const { name, value } of assignmentsOf(text, escapeMark)) {
    const given = Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
    if (given !== undefined) args.set(name, given);
    else if (value !== undefined)
      args.set(name, words.expand(value, line, dialect.unreadableArg === 'refused'));
    else if (dialect.bareArg === 'emptied') args.set(name, '');
  }
}

/** Words with the arguments that stand above the first `FROM`, and what was found out about them. */
class Words {
  readonly args: Map<string, string>;
  readonly escapeMark: string;
  readonly dialect: Dialect;
  readonly unclear: Unclear[] = [];
  refused = false;

  constructor(args: Map<string, string>, escapeMark: string, dialect: Dialect) {
    this.args = args;
    this.escapeMark = escapeMark;
    this.dialect = dialect;
  }

  /** Empty for what no engine could read; `must` says that the build then ends. */
  expand(text: string, line: number, must: boolean): string {
    try {
      return expandWord(text, this.args, this.escapeMark, this.dialect);
    } catch (error) {
      if (error instanceof UnclearWordError) this.unclear.push({ line, why: error.message });
      else if (error instanceof TooLongError)
        this.unclear.push({ line, why: 'has a pattern that is too long to expand' });
      else if (error instanceof WordError) this.refused ||= must;
      else throw error;
      return '';
    }
  }
}

function instructionsOf(
  dockerfile: string,
  lines: Line[],
  escapeMark: string,
  dialect: Dialect,
): Instruction[] {
  let line = 1;
  let counted = 0;
  return lines.map((source) => {
    for (const start = source.at[0] ?? counted; counted < start; counted++)
      if (dockerfile[counted] === '\n') line++;
    const command = readCommand(source.text, escapeMark, { dialect });
    const rest = source.text.trimStart().slice(command.keyword.length).trim();
    return { ...command, line, rest, body: source.body, source };
  });
}

/** As `FROM` takes its words apart: by fewer kinds of space than others. */
export const wordsOf = (args: string): string[] => args.split(/[\t\v\f\r ]+/);

function nameOf({ args }: Instruction): string | undefined {
  const [, as, name] = wordsOf(args);
  return as?.toUpperCase() === 'AS' && name !== undefined ? lowered(name) : undefined;
}

function stageOf(opening: Instruction, words: Words, named: ReadonlyMap<string, BuildStage>): BuildStage {
  const word = wordsOf(opening.args)[0] ?? '';
  const image = words.expand(word, opening.line, true);
  if (image === '') words.refused = true;
  const from = named.get(image);
  const name = nameOf(opening);
  return {
    line: opening.line,
    image,
    unset: unsetIn(word, words.args),
    ...(name ? { name } : {}),
    ...(from ? { from } : {}),
    opening,
    instructions: [],
  };
}

const unsetIn = (word: string, args: ReadonlyMap<string, string>): string[] =>
  [...word.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)]
    .map(([, braced, plain]) => braced ?? plain ?? '')
    .filter((name) => !args.has(name));

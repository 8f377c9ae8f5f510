/** The instructions of a Dockerfile by its stages, each with the number of its line. */
import { type Command, readCommand } from './command.ts';
import { type Directive, type Line, readLines } from './lines.ts';
import { expandWord, rawWords, WordError } from './words.ts';

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
}

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
export function readDockerfile(dockerfile: string, buildArgs: Record<string, string> = {}): Dockerfile {
  const { syntaxes, escapeMark, lines } = readLines(dockerfile);
  const before: Instruction[] = [];
  const stages: BuildStage[] = [];
  const named = new Map<string, BuildStage>();
  const instructions = instructionsOf(dockerfile, lines, escapeMark);
  const target = instructions.findLast(({ keyword }) => keyword === 'FROM');
  const args = new Map(
    Object.entries({ ...platformArgs, TARGETSTAGE: (target && nameOf(target)) ?? 'default' }),
  );
  for (const name of args.keys()) if (Object.hasOwn(buildArgs, name)) args.set(name, buildArgs[name] ?? '');
  for (const instruction of instructions) {
    const current = stages.at(-1);
    if (instruction.keyword === 'FROM') {
      const stage = stageOf(instruction, args, escapeMark, named);
      if (stage.name !== undefined) named.set(stage.name, stage);
      stages.push(stage);
    } else if (current) current.instructions.push(instruction);
    else {
      before.push(instruction);
      if (instruction.keyword === 'ARG') declare(instruction, args, escapeMark, buildArgs);
    }
  }
  return { syntaxes, escapeMark, before, stages };
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

/** What is given counts before what is written; without either, what there was stays. */
function declare(
  { args: text }: Instruction,
  args: Map<string, string>,
  escapeMark: string,
  buildArgs: Record<string, string>,
): void {
  for (const { name, value } of assignmentsOf(text, escapeMark)) {
    const given = Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
    if (given !== undefined) args.set(name, given);
    else if (value !== undefined) args.set(name, expanded(value, args, escapeMark));
  }
}

/** Empty where no engine could say. */
function expanded(text: string, args: ReadonlyMap<string, string>, escapeMark: string): string {
  try {
    return expandWord(text, args, escapeMark);
  } catch (error) {
    if (error instanceof WordError) return '';
    throw error;
  }
}

function instructionsOf(dockerfile: string, lines: Line[], escapeMark: string): Instruction[] {
  let line = 1;
  let counted = 0;
  return lines.map((source) => {
    for (const start = source.at[0] ?? counted; counted < start; counted++)
      if (dockerfile[counted] === '\n') line++;
    const command = readCommand(source.text, escapeMark);
    const rest = source.text.trimStart().slice(command.keyword.length).trim();
    return { ...command, line, rest, body: source.body, source };
  });
}

/** As `FROM` takes its words apart: by fewer kinds of space than others. */
export const wordsOf = (args: string): string[] => args.split(/[\t\v\f\r ]+/);

function nameOf({ args }: Instruction): string | undefined {
  const [, as, name] = wordsOf(args);
  return as?.toUpperCase() === 'AS' ? name?.toLowerCase() : undefined;
}

function stageOf(
  opening: Instruction,
  args: ReadonlyMap<string, string>,
  escapeMark: string,
  named: ReadonlyMap<string, BuildStage>,
): BuildStage {
  const image = expanded(wordsOf(opening.args)[0] ?? '', args, escapeMark);
  const from = named.get(image);
  const name = nameOf(opening);
  return {
    line: opening.line,
    image,
    ...(name ? { name } : {}),
    ...(from ? { from } : {}),
    opening,
    instructions: [],
  };
}

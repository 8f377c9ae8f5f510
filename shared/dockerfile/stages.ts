/** The instructions of a Dockerfile by its stages, each with the number of its line. */
import { logicalLines, platformArgs, substitute, unquoted } from '../model/dockerfile.ts';

/** One instruction, its continuation lines joined. */
export interface Instruction {
  /** Number of its first line, from 1. */
  line: number;
  /** First word, in capitals. */
  keyword: string;
  /** What follows the first word. */
  rest: string;
  /** Text of its here-documents; empty where it has none. */
  body: string;
}

/** One `FROM` with the instructions below it. */
export interface BuildStage {
  line: number;
  /** As written, with build arguments put in; empty where an argument has no value. */
  image: string;
  /** In small letters: what `AS` names it. */
  name?: string;
  /** The earlier stage that it goes on from; without one, `image` is an image. */
  from?: BuildStage;
  instructions: Instruction[];
}

export interface Dockerfile {
  /** Above the first `FROM`. */
  before: Instruction[];
  stages: BuildStage[];
}

/** Never throws: what is no Dockerfile has instructions of unknown keywords, or none. */
export function readDockerfile(dockerfile: string, buildArgs: Record<string, string> = {}): Dockerfile {
  const before: Instruction[] = [];
  const stages: BuildStage[] = [];
  const args = new Map<string, string>(Object.entries(platformArgs));
  for (const instruction of instructionsOf(dockerfile)) {
    const current = stages.at(-1);
    if (instruction.keyword === 'FROM') stages.push(stageOf(instruction, args, stages));
    else if (current) current.instructions.push(instruction);
    else {
      before.push(instruction);
      if (instruction.keyword !== 'ARG') continue;
      for (const { name, value } of assignmentsOf(instruction.rest))
        args.set(
          name,
          (Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined) ?? substitute(value ?? '', args),
        );
    }
  }
  return { before, stages };
}

/** The image that the finished one lies on, as written; undefined for none, `scratch`, and an argument without a value. */
export function parentReference(dockerfile: string, buildArgs: Record<string, string>): string | undefined {
  let stage = readDockerfile(dockerfile, buildArgs).stages.at(-1);
  while (stage?.from) stage = stage.from;
  return stage && stage.image !== '' && stage.image !== 'scratch' ? stage.image : undefined;
}

/** `NAME`, `NAME=value`, quoted or not, as `ARG`, `ENV` and `LABEL` take them; `value` without its quotes. */
export function assignmentsOf(rest: string): { name: string; value?: string }[] {
  const pattern = /([A-Za-z_][\w.-]*)(=("(?:[^"\\]|\\.)*"|'[^']*'|\S*))?/y;
  const found: { name: string; value?: string }[] = [];
  for (let at = 0; at < rest.length; ) {
    pattern.lastIndex = at;
    const match = pattern.exec(rest);
    if (match?.[1]) found.push({ name: match[1], ...(match[2] ? { value: unquoted(match[3] ?? '') } : {}) });
    // What is no assignment is passed over, word by word.
    const next = rest.slice(match ? pattern.lastIndex : at).search(/\s\S/);
    if (next < 0) break;
    at = (match ? pattern.lastIndex : at) + next + 1;
  }
  return found;
}

function instructionsOf(dockerfile: string): Instruction[] {
  let line = 1;
  let counted = 0;
  return logicalLines(dockerfile).lines.map(({ text, at, body }) => {
    for (const start = at[0] ?? counted; counted < start; counted++) if (dockerfile[counted] === '\n') line++;
    const [, word = '', rest = ''] = /^\s*(\S*)\s*(.*)$/s.exec(text) ?? [];
    return { line, keyword: word.toUpperCase(), rest: rest.trimEnd(), body };
  });
}

function stageOf({ line, rest }: Instruction, args: Map<string, string>, before: BuildStage[]): BuildStage {
  const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('--'));
  const image = substitute(unquoted(words[0] ?? ''), args);
  const from = before.findLast((one) => one.name !== undefined && one.name === image.toLowerCase());
  const name = words[1]?.toUpperCase() === 'AS' ? words[2]?.toLowerCase() : undefined;
  return { line, image, ...(name ? { name } : {}), ...(from ? { from } : {}), instructions: [] };
}

/** Which stages a build needs: as in BuildKit, those that lead to the last one. Nobody asks for images of the others. */
import { type Command, type Flag, fieldsOf, readCommand } from './command.ts';
import type { Dialect } from './dialects.ts';
import { lowered } from './go-text.ts';
import { type Line, readLines } from './lines.ts';
import { type BuildStage, type Dockerfile, type Instruction, type Unclear, unclearFlag } from './stages.ts';

/** What a `COPY` or a mount takes files from. */
export interface Source {
  /** As the engine understands it: without quotes. */
  value: string;
  line: number;
  /** Where each of its characters stands in the instruction. */
  at: number[];
  instruction: Line;
  /** Without one, it is an image. */
  stage?: BuildStage;
}

interface NeededStage {
  stage: BuildStage;
  sources: Source[];
}

/**
 * In their order, and what is unclear about them. `ONBUILD` counts where a stage that is needed goes on from the one that
 * says it.
 */
export function neededStages(
  { stages }: Pick<Dockerfile, 'stages'>,
  dialect: Dialect,
): { needed: NeededStage[]; unclear: Unclear[] } {
  const unclear: Unclear[] = [];
  // Of several stages of one name, files come from the last.
  const named = new Map(stages.map((stage) => [stage.name, stage]));
  const stageOf = ({ isCopy, value }: From) =>
    isCopy && isNumber(value) ? stages[Number(value)] : named.get(lowered(value));
  const sourcesIn = (command: Command, { line, source: instruction }: Instruction): Source[] => {
    if (command.oddCharacter !== undefined) unclear.push(unclearFlag(line, command.oddCharacter));
    return fromsIn(command).flatMap((from) => {
      const stage = stageOf(from);
      const { isCopy, value, at } = from;
      // A number is a stage's to COPY, and may be an image's name to a mount. Behind the stages, engines count images
      // that were named before, and a number that they have no room for is a name.
      if (!stage && isCopy && isNumber(value)) {
        unclear.push({ line, why: `copies from stage ${value}, but ${rangeOf(stages.length)}` });
        return [];
      }
      return [{ value, line, at, instruction, ...(stage ? { stage } : {}) }];
    });
  };
  const triggersOf = (stage: BuildStage) =>
    stage.instructions
      .filter(({ keyword }) => keyword === 'ONBUILD')
      .flatMap((one) => sourcesIn(triggerOf(one, dialect), one));

  const needed = new Map<BuildStage, Source[]>();
  const setOff = new Set<BuildStage>();
  const waiting = stages.slice(-1);
  for (let stage = waiting.pop(); stage; stage = waiting.pop()) {
    if (needed.has(stage)) continue;
    const { from } = stage;
    const triggers = from && !setOff.has(from) ? triggersOf(from) : [];
    const sources = [...triggers, ...stage.instructions.flatMap((one) => sourcesIn(one, one))];
    needed.set(stage, sources);
    for (const other of [from, ...sources.map((source) => source.stage)]) if (other) waiting.push(other);
    if (from) setOff.add(from);
  }
  const inOrder = stages.flatMap((stage) => {
    const sources = needed.get(stage);
    return sources ? [{ stage, sources }] : [];
  });
  return { needed: inOrder, unclear };
}

const rangeOf = (count: number) =>
  count === 1 ? 'stage 0 is the only one' : `the stages are numbered 0 to ${count - 1}`;

/** It is read when it is set off: as a Dockerfile of its own, whatever `# escape=` says. */
function triggerOf({ source, argsAt }: Instruction, dialect: Dialect): Command {
  const { lines, escapeMark } = readLines(source.text.slice(argsAt), dialect);
  const [trigger = { text: '', at: [] }] = lines;
  const command = readCommand(trigger.text, escapeMark, { dialect });
  const places = (at: number[]) => at.map((one) => argsAt + (trigger.at[one] ?? 0));
  return { ...command, flags: command.flags.map((flag) => ({ ...flag, at: places(flag.at) })) };
}

interface From {
  value: string;
  at: number[];
  isCopy: boolean;
}

const fromKey = 'from=';
const isFrom = ({ value }: Pick<Flag, 'value'>) => value.toLowerCase().startsWith(fromKey);
const isNumber = (text: string) => /^[+-]?\d+$/.test(text);

/**
 * Only flags of `COPY` and `RUN` say so: what a command does with `--from` is its own business. A mount without one is of
 * `scratch`, which a stage may be named.
 */
const fromsIn = ({ keyword, flags }: Command): From[] =>
  flags.flatMap((flag): From[] => {
    if (keyword === 'COPY' && flag.name === 'from') return [{ value: flag.value, at: flag.at, isCopy: true }];
    if (keyword !== 'RUN' || flag.name !== 'mount') return [];
    const field = fieldsOf(flag).findLast(isFrom);
    if (!field) return [{ value: 'scratch', at: [], isCopy: false }];
    return [{ value: field.value.slice(fromKey.length), at: field.at.slice(fromKey.length), isCopy: false }];
  });

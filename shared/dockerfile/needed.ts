/** Which stages a build needs: as in BuildKit, those that lead to the last one. Nobody asks for images of the others. */
import { type Command, type Flag, fieldsOf, readCommand } from './command.ts';
import type { Line } from './lines.ts';
import type { BuildStage, Dockerfile } from './stages.ts';

/** What a `COPY` or a mount takes files from. */
export interface Source {
  /** As the engine understands it: without quotes. */
  value: string;
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

/** In their order. `ONBUILD` counts where a stage that is needed goes on from the one that says it. */
export function neededStages({ stages, escapeMark }: Dockerfile): NeededStage[] {
  // Of several stages of one name, files come from the last.
  const named = new Map(stages.map((stage) => [stage.name, stage]));
  const stageOf = ({ isCopy, value }: From) =>
    isCopy && isNumber(value) ? stages[Number(value)] : named.get(value.toLowerCase());
  const sourcesIn = (command: Command, instruction: Line): Source[] =>
    fromsIn(command).flatMap((from) => {
      const stage = stageOf(from);
      const { isCopy, value, at } = from;
      // A number is a stage's to COPY, and may be an image's name to a mount.
      if (!stage && isCopy && isNumber(value)) return [];
      return [{ value, at, instruction, ...(stage ? { stage } : {}) }];
    });
  const triggersOf = (stage: BuildStage) =>
    stage.instructions
      .filter(({ keyword }) => keyword === 'ONBUILD')
      .flatMap(({ source, argsAt }) => sourcesIn(readCommand(source.text, escapeMark, argsAt), source));

  const needed = new Map<BuildStage, Source[]>();
  const setOff = new Set<BuildStage>();
  const waiting = stages.slice(-1);
  for (let stage = waiting.pop(); stage; stage = waiting.pop()) {
    if (needed.has(stage)) continue;
    const { from } = stage;
    const triggers = from && !setOff.has(from) ? triggersOf(from) : [];
    const sources = [...triggers, ...stage.instructions.flatMap((one) => sourcesIn(one, one.source))];
    needed.set(stage, sources);
    for (const other of [from, ...sources.map((source) => source.stage)]) if (other) waiting.push(other);
    if (from) setOff.add(from);
  }
  return stages.flatMap((stage) => {
    const sources = needed.get(stage);
    return sources ? [{ stage, sources }] : [];
  });
}

interface From {
  value: string;
  at: number[];
  isCopy: boolean;
}

const fromKey = 'from=';
const isFrom = ({ value }: Pick<Flag, 'value'>) => value.toLowerCase().startsWith(fromKey);
const isNumber = (text: string) => /^[+-]?\d+$/.test(text);

/** Only flags of `COPY` and `RUN` say so: what a command does with `--from` is its own business. */
const fromsIn = ({ keyword, flags }: Command): From[] =>
  flags.flatMap((flag): From[] => {
    if (keyword === 'COPY' && flag.name === 'from') return [{ value: flag.value, at: flag.at, isCopy: true }];
    const field = keyword === 'RUN' && flag.name === 'mount' ? fieldsOf(flag).findLast(isFrom) : undefined;
    if (!field) return [];
    return [{ value: field.value.slice(fromKey.length), at: field.at.slice(fromKey.length), isCopy: false }];
  });

/**
 * Which images a Dockerfile builds on, and where in its text they stand: `FROM`, `COPY --from`, `RUN --mount=from=`,
 * those of `ONBUILD` where a later stage sets them off, and the program that reads it all (`# syntax=`). Stages that the
 * last one doesn't need count for nothing. What no engine can read is no image here: the engine refuses it, with its
 * own words.
 */
import { heredocsOf } from './command.ts';
import type { Line } from './lines.ts';
import { neededStages, type Source } from './needed.ts';
import { type BuildStage, readDockerfile, wordsOf } from './stages.ts';

/** An image that a Dockerfile names. */
interface Base {
  /** As the engine understands it: without quotes, with build arguments put in. */
  reference: string;
  /** Where it stands in the text; absent where it comes from a build argument. */
  place?: { start: number; end: number; tail: string };
}

/** A build argument that names the program that reads the Dockerfile, whatever the Dockerfile says. */
const syntaxArg = 'BUILDKIT_SYNTAX';

/** References with build arguments put in; stages of the same file and `scratch` are none. Never throws. */
export function baseImages(dockerfile: string, buildArgs: Record<string, string>): string[] {
  return [...new Set(basesIn(dockerfile, buildArgs).map(({ reference }) => reference))];
}

/** The same text, except that every reference with an entry in `digests` names that digest as well. */
export const pinBases = (
  dockerfile: string,
  buildArgs: Record<string, string>,
  digests: Record<string, string>,
): string => replaceBases(dockerfile, buildArgs, (reference) => pinnedTo(reference, digests));

/** The same text, except for references that `other` has another for, which is also told how they are written there. */
export function replaceBases(
  dockerfile: string,
  buildArgs: Record<string, string>,
  other: (reference: string, written: string) => string | undefined,
): string {
  const parts: string[] = [];
  let upTo = 0;
  const places = basesIn(dockerfile, buildArgs)
    .flatMap(({ reference, place }) => (place ? [{ reference, ...place }] : []))
    .sort((a, b) => a.start - b.start);
  for (const { reference, start, end, tail } of places) {
    const replaced = other(reference, dockerfile.slice(start, end));
    if (replaced === undefined || start < upTo) continue;
    parts.push(dockerfile.slice(upTo, start), replaced, tail);
    upTo = end;
  }
  return parts.join('') + dockerfile.slice(upTo);
}

/** The same build arguments, with the digest of the image that one of them may name. */
export const pinArgs = (
  buildArgs: Record<string, string>,
  digests: Record<string, string>,
): Record<string, string> => replaceArgs(buildArgs, (reference) => pinnedTo(reference, digests));

/** The same build arguments, except that the image which one of them may name is what `other` has for it. */
export function replaceArgs(
  buildArgs: Record<string, string>,
  other: (reference: string) => string | undefined,
): Record<string, string> {
  const [reference] = syntaxFrom(buildArgs);
  const replaced = reference === undefined ? undefined : other(reference);
  if (reference === undefined || replaced === undefined) return buildArgs;
  return { ...buildArgs, [syntaxArg]: (buildArgs[syntaxArg] ?? '').replace(reference, () => replaced) };
}

/** Whether it has here-documents that the engine itself would have to read: no other program is named for it. */
export function hasOwnHeredocs(dockerfile: string, buildArgs: Record<string, string>): boolean {
  const { syntaxes, stages, escapeMark } = readDockerfile(dockerfile, buildArgs);
  const instructions = stages.flatMap((stage) => stage.instructions);
  return (
    syntaxes.length === 0 &&
    syntaxFrom(buildArgs).length === 0 &&
    instructions.some(({ source }) => heredocsOf(source.text, escapeMark).length > 0)
  );
}

function pinnedTo(reference: string, digests: Record<string, string>): string | undefined {
  const digest = Object.hasOwn(digests, reference) ? digests[reference] : undefined;
  return digest === undefined || reference.includes('@') ? undefined : `${reference}@${digest}`;
}

/** The reference, at most; what stands behind it is the program's own. */
function syntaxFrom(buildArgs: Record<string, string>): string[] {
  const given = Object.hasOwn(buildArgs, syntaxArg) ? buildArgs[syntaxArg] : undefined;
  return given === undefined ? [] : given.trim().split(' ').slice(0, 1);
}

function basesIn(text: string, buildArgs: Record<string, string>): Base[] {
  const dockerfile = readDockerfile(text, buildArgs);
  const given = syntaxFrom(buildArgs);
  const written = dockerfile.syntaxes.map(({ value, start }) => ({
    reference: value,
    place: { start, end: start + value.length, tail: '' },
  }));
  const found: Base[] = [
    ...(given.length > 0 ? given.map((reference) => ({ reference })) : written),
    ...neededStages(dockerfile).flatMap(({ stage, sources }) => [
      ...openingOf(stage),
      ...sources.filter((source) => !source.stage).map(baseOf),
    ]),
  ];
  return found.filter(({ reference }) => reference !== '' && reference !== 'scratch');
}

function openingOf({ from, image, opening: { source, args, argsAt } }: BuildStage): Base[] {
  if (from) return [];
  const word = wordsOf(args)[0] ?? '';
  return [{ reference: image, ...placeOf(source, argsAt, argsAt + word.length - 1, '') }];
}

function baseOf({ value, at: [first = 0, ...more], instruction }: Source): Base {
  const last = more.at(-1) ?? first;
  // Quotes within the reference are kept behind it: what was open or closed after it still is.
  const quotes = instruction.text.slice(first, last + 1).replace(/[^"']/g, '');
  return { reference: value, ...placeOf(instruction, first, last, quotes) };
}

/** From the first to the last character of a reference in its line. */
function placeOf({ at }: Line, first: number, last: number, tail: string): Pick<Base, 'place'> {
  const [start, end] = [at[first], at[last]];
  return start === undefined || end === undefined ? {} : { place: { start, end: end + 1, tail } };
}

/**
 * Which images a Dockerfile builds on, and where in its text they stand: `FROM`, `COPY --from`, `RUN --mount=from=`,
 * those of `ONBUILD` where a later stage sets them off, and the program that reads it all (`# syntax=`). Stages that the
 * last one doesn't need count for nothing. What no engine can read is no image here: the engine refuses it, with its
 * own words.
 */

import { InvalidReferenceError, parseLocation } from '../registry/reference.ts';
import { heredocsOf } from './command.ts';
import { type Dialect, dialects, newest } from './dialects.ts';
import { trimmed } from './go-text.ts';
import type { Line } from './lines.ts';
import { neededStages, type Source } from './needed.ts';
import { type BuildStage, readDockerfile, type Unclear, wordsOf } from './stages.ts';
import { unclearText } from './unclear-text.ts';

/** An image that a Dockerfile names. */
interface Base {
  /** As the engine understands it: without quotes, with build arguments put in. */
  reference: string;
  line: number;
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

/** Nothing for a reference that is by digest already, or has none in `digests`. */
export function pinnedTo(reference: string, digests: Record<string, string>): string | undefined {
  const digest = Object.hasOwn(digests, reference) ? digests[reference] : undefined;
  return digest === undefined || reference.includes('@') ? undefined : `${reference}@${digest}`;
}

/** The reference, at most; what stands behind it is the program's own. */
function syntaxFrom(buildArgs: Record<string, string>): string[] {
  const given = Object.hasOwn(buildArgs, syntaxArg) ? buildArgs[syntaxArg] : undefined;
  return given === undefined ? [] : trimmed(given).split(' ').slice(0, 1);
}

/** Build arguments with which an engine pulls images that no Dockerfile names: scanners, and a tool that copies. */
export const pullingArgs = (buildArgs: Record<string, string>): string[] =>
  Object.keys(buildArgs).filter((name) => /^BUILDKIT_(?:ATTEST_|DISABLE_FILEOP$)/.test(name));

/** How engines of one dialect read it. */
interface Reading {
  dialect: Dialect;
  bases: Base[];
  /** They certainly refuse it, before they ask for any image. */
  refused: boolean;
  unclear: Unclear[];
}

/**
 * Why it can't be said which images a Dockerfile builds on: engines read one of its lines differently, and don't refuse
 * it. Undefined where all of them ask for the images of `baseImages`, or for fewer.
 */
export function unclearBases(dockerfile: string, buildArgs: Record<string, string>): Unclear | undefined {
  const odd = unclearText(dockerfile);
  if (odd) return odd;
  const all = dialectsFor(dockerfile, buildArgs).map((dialect) => readBases(dockerfile, buildArgs, dialect));
  const [first, ...others] = all.filter(({ refused }) => !refused);
  if (!first) return undefined;
  const named = new Set(first.bases.map(identityOf));
  const differing = others.flatMap(({ dialect, bases }) =>
    bases
      .filter((base) => !named.has(identityOf(base)) && isName(base.reference))
      .map(({ line, reference }) => ({
        line,
        why: `builds on ${reference} with ${dialect.engine} but not with ${first.dialect.engine}. Begin the Dockerfile with "# syntax=docker/dockerfile:1", which every engine reads alike, or rewrite the line`,
      })),
  );
  return first.unclear[0] ?? others.flatMap(({ unclear }) => unclear)[0] ?? differing[0];
}

const identityOf = ({ reference, place }: Base) => `${place?.start} ${reference}`;

/** Whether an engine could ask for it at all. */
export function isName(reference: string): boolean {
  try {
    parseLocation(reference);
    return true;
  } catch (error) {
    if (error instanceof InvalidReferenceError) return false;
    throw error;
  }
}

/** Tags of the program that reads Dockerfiles which follow its newest version. */
const newestFrontend = /^(?:docker\.io\/)?docker\/dockerfile(?::(?:1|latest|labs|1-labs))?$/;

/** Without a program of its own any engine may read it, and another program is as old as anybody likes. */
function dialectsFor(dockerfile: string, buildArgs: Record<string, string>): readonly Dialect[] {
  const [written] = /^# ?syntax ?= ?(\S+)\r?\n/.exec(dockerfile)?.slice(1) ?? [];
  return newestFrontend.test(syntaxFrom(buildArgs)[0] ?? written ?? '') ? [newest] : dialects;
}

/** As the newest engine reads it that doesn't refuse it. */
function basesIn(text: string, buildArgs: Record<string, string>): Base[] {
  const all = dialectsFor(text, buildArgs);
  for (const dialect of all) {
    const { refused, bases } = readBases(text, buildArgs, dialect);
    if (!refused) return bases;
  }
  return readBases(text, buildArgs, newest).bases;
}

function readBases(text: string, buildArgs: Record<string, string>, dialect: Dialect): Reading {
  const dockerfile = readDockerfile(text, buildArgs, dialect);
  const given = syntaxFrom(buildArgs);
  const written = dockerfile.syntaxes.map(({ value, start }) => ({
    reference: value,
    line: 1,
    ...(start === undefined ? {} : { place: { start, end: start + value.length, tail: '' } }),
  }));
  const { needed, unclear } = neededStages(dockerfile, dialect);
  const programs: Base[] = given.length > 0 ? given.map((reference) => ({ reference, line: 1 })) : written;
  const images = needed.flatMap(({ stage, sources }) => [
    ...openingOf(stage),
    ...sources.filter((source) => !source.stage).map(baseOf),
  ]);
  return {
    dialect,
    bases: [...programs, ...images.filter(({ reference }) => reference !== 'scratch')].filter(
      ({ reference }) => reference !== '',
    ),
    refused: dockerfile.refused,
    unclear: [...dockerfile.unclear, ...unclear],
  };
}

function openingOf({ from, image, line, opening: { source, args, argsAt } }: BuildStage): Base[] {
  if (from) return [];
  const word = wordsOf(args)[0] ?? '';
  return [{ reference: image, line, ...placeOf(source, argsAt, argsAt + word.length - 1, '') }];
}

function baseOf({ value, line, at: [first = 0, ...more], instruction }: Source): Base {
  const last = more.at(-1) ?? first;
  // Quotes within the reference are kept behind it: what was open or closed after it still is.
  const quotes = instruction.text.slice(first, last + 1).replace(/[^"']/g, '');
  return { reference: value, line, ...placeOf(instruction, first, last, quotes) };
}

/** From the first to the last character of a reference in its line. */
function placeOf({ at }: Line, first: number, last: number, tail: string): Pick<Base, 'place'> {
  const [start, end] = [at[first], at[last]];
  return start === undefined || end === undefined ? {} : { place: { start, end: end + 1, tail } };
}

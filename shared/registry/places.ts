/**
 * What a registry's JSON has at a place, or a refusal that names the place. By hand (ADR 45): every inspection goes
 * through these checks, with code that has not run for a while.
 */

/** At `place` there is something else than there has to be. */
export class UnreadableError extends Error {
  readonly place: string;
  constructor(place: string) {
    super(`has an invalid value at ${place}`);
    this.name = 'UnreadableError';
    this.place = place;
  }
}

type Fields = Record<string, unknown>;

const isNone = (value: unknown): value is null | undefined => value === null || value === undefined;

export function objectAt(place: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UnreadableError(place);
  return value as Fields;
}

export function listAt(place: string, value: unknown, atMost: number): unknown[] {
  if (!Array.isArray(value) || value.length > atMost) throw new UnreadableError(place);
  return value;
}

export function textAt(place: string, value: unknown): string {
  if (typeof value !== 'string') throw new UnreadableError(place);
  return value;
}

/** Of bytes; several of them together may still be too many to count. */
export function sizeAt(place: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new UnreadableError(place);
  return value;
}

export const optionalTextAt = (place: string, value: unknown): string | undefined =>
  isNone(value) ? undefined : textAt(place, value);

/** What is none in a list, or in a map, is empty, as for engines. */
const innerTextAt = (place: string, value: unknown): string => optionalTextAt(place, value) ?? '';

export const optionalTextsAt = (place: string, value: unknown): string[] =>
  isNone(value)
    ? []
    : listAt(place, value, Number.POSITIVE_INFINITY).map((one, i) => innerTextAt(`${place}.${i}`, one));

/** A command, which old engines wrote as one text. */
export const commandAt = (place: string, value: unknown): string[] =>
  typeof value === 'string' ? [value] : optionalTextsAt(place, value);

export const optionalObjectAt = (place: string, value: unknown): Fields =>
  isNone(value) ? {} : objectAt(place, value);

/** A copy, without a name that JavaScript would take for the object's prototype. */
export function optionalMapAt(place: string, value: unknown): Record<string, string> {
  const map: Record<string, string> = {};
  for (const [name, one] of Object.entries(optionalObjectAt(place, value)))
    if (name !== '__proto__') map[name] = innerTextAt(`${place}.${name}`, one);
  return map;
}

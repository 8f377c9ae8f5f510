/** Passwords as GetRandomPassword and `GenerateSecretString` make them. */
import { randomInt } from 'node:crypto';
import { AwsError } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';

const lowercase = 'abcdefghijklmnopqrstuvwxyz';
const uppercase = lowercase.toUpperCase();
const numbers = '0123456789';
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** Reads `PasswordLength` (1–4096, default 32), `Exclude…`, `IncludeSpace`, `RequireEachIncludedType`. */
export function randomPassword(input: RequestMembers): string {
  const length = input.optionalInteger('PasswordLength', 1, 4096) ?? 32;
  const excluded = new Set(input.optionalString('ExcludeCharacters', { max: 4096 }) ?? '');
  const types = [
    input.boolean('ExcludeLowercase', false) ? '' : lowercase,
    input.boolean('ExcludeUppercase', false) ? '' : uppercase,
    input.boolean('ExcludeNumbers', false) ? '' : numbers,
    input.boolean('ExcludePunctuation', false) ? '' : punctuation,
    input.boolean('IncludeSpace', false) ? ' ' : '',
  ]
    .map((type) => [...type].filter((one) => !excluded.has(one)))
    .filter((type) => type.length > 0);
  const all = types.flat();
  const required = input.boolean('RequireEachIncludedType', true) ? types : [];
  if (all.length === 0 || required.length > length)
    throw new AwsError('InvalidParameterException', 'No password satisfies these requirements.');
  const pick = (characters: string[]): string => characters[randomInt(characters.length)] ?? '';
  const password = required.map(pick);
  while (password.length < length) password.push(pick(all));
  for (let index = password.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [password[index], password[other]] = [password[other] ?? '', password[index] ?? ''];
  }
  return password.join('');
}

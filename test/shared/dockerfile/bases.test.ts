import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseImages, pinBases } from '../../../shared/dockerfile/bases.ts';

const lines = (...all: string[]) => all.join('\n');

describe('B6 the images that a Dockerfile builds on', () => {
  const cases: [string, string, Record<string, string>, string[]][] = [
    ['one', 'FROM python:3.13-slim', {}, ['python:3.13-slim']],
    [
      'stages and scratch are none',
      lines('FROM a AS build', 'FROM scratch', 'COPY --from=BUILD /x /x', 'FROM build'),
      {},
      ['a'],
    ],
    [
      'an argument with its default',
      lines('ARG BASE=quay.io/x/y:1', 'FROM $' + '{BASE}'),
      {},
      ['quay.io/x/y:1'],
    ],
    ['an argument that is given', lines('ARG BASE=quay.io/x/y:1', 'FROM $BASE'), { BASE: 'z:2' }, ['z:2']],
    [
      'defaults inside the name',
      lines('ARG TAG', 'FROM a:$' + '{TAG:-9}', 'FROM b$' + '{TAG:+:x}'),
      {},
      ['a:9', 'b'],
    ],
    ['a digest, a platform, quotes', 'FROM --platform=linux/amd64 "a@sha256:00" AS x', {}, ['a@sha256:00']],
    [
      'other places',
      lines(
        'FROM a',
        'COPY --from=b:1 /x /',
        'RUN --mount=type=bind,from=c/d,target=/m true',
        'COPY --from=0 /y /',
      ),
      {},
      ['a', 'b:1', 'c/d'],
    ],
    ['the syntax', lines('# syntax=docker/dockerfile:1', 'FROM a'), {}, ['docker/dockerfile:1', 'a']],
    ['a comment after the first instruction is no directive', lines('FROM a', '# syntax=b'), {}, ['a']],
    [
      'continued lines, with comments in between',
      lines('FROM \\', '# why', '  a \\', '  AS b', 'FROM b'),
      {},
      ['a'],
    ],
    ['another escape character', lines('# escape=`', 'FROM `', 'a'), {}, ['a']],
    [
      'what a here-document says is text',
      lines('FROM a', 'RUN <<EOF', 'FROM b', 'EOF', 'FROM c'),
      {},
      ['a', 'c'],
    ],
    ['lower case, tabs, Windows', 'from\ta\r\nfrom b\r\n', {}, ['a', 'b']],
    ['nothing', '', {}, []],
  ];
  test.each(cases)('%s', (_name, dockerfile, args, expected) => {
    expect(baseImages(dockerfile, args)).toEqual(expected);
  });

  test('whatever somebody writes, it answers, and quickly', () => {
    const started = performance.now();
    const part = fc.constantFrom(
      'FROM ',
      'ARG X=',
      '$' + '{X',
      ':-',
      '}',
      '\\\n',
      '<<EOF',
      '"',
      "'",
      'a',
      ' AS ',
      '--from=',
      '\n',
      '#',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 200 }), (parts) =>
        Array.isArray(baseImages(parts.join(''), { X: '$X' })),
      ),
    );
    baseImages(`FROM ${'$'.repeat(60_000)}\nARG ${'a'.repeat(60_000)}`, {});
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('B8 pinning', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const cases: [string, string, string][] = [
    ['a plain FROM', 'FROM python:3\nRUN true\n', `FROM python:3@${digest}\nRUN true\n`],
    [
      'every place, and nothing else',
      lines(
        '# syntax = docker/dockerfile:1  ',
        '# FROM python:3',
        'ARG BASE=python',
        `FROM --platform=$BUILDPLATFORM  $${'{BASE}'}:3  AS one # not a comment`,
        'RUN --mount=type=bind,from=tools:1,target=/t echo --from=tools:1 python:3',
        'COPY  --chown=1 --from=tools:1 /a /a',
        'RUN <<EOF',
        'FROM python:3',
        'EOF',
        'FROM one',
        'COPY --from=0 /b /b',
      ),
      lines(
        `# syntax = docker/dockerfile:1@${digest}  `,
        '# FROM python:3',
        'ARG BASE=python',
        `FROM --platform=$BUILDPLATFORM  python:3@${digest}  AS one # not a comment`,
        `RUN --mount=type=bind,from=tools:1@${digest},target=/t echo --from=tools:1 python:3`,
        `COPY  --chown=1 --from=tools:1@${digest} /a /a`,
        'RUN <<EOF',
        'FROM python:3',
        'EOF',
        'FROM one',
        'COPY --from=0 /b /b',
      ),
    ],
    [
      'over continued lines, with Windows line ends',
      'FROM \\\r\n  # why\r\n  py\\\r\nthon:3 AS x\r\n',
      `FROM \\\r\n  # why\r\n  python:3@${digest} AS x\r\n`,
    ],
    ['what has a digest already', `FROM python@${digest}`, `FROM python@${digest}`],
    ['what is not known', 'FROM other\nFROM __proto__', 'FROM other\nFROM __proto__'],
  ];
  test.each(cases)('%s', (_name, text, expected) => {
    const digests = { 'python:3': digest, 'tools:1': digest, 'docker/dockerfile:1': digest };
    expect(pinBases(text, {}, digests)).toBe(expected);
    // Pinned once is pinned.
    expect(pinBases(expected, {}, digests)).toBe(expected);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseImages, pinArgs, pinBases } from '../../../shared/dockerfile/bases.ts';
import { lintDockerfile } from '../../../shared/dockerfile/lint.ts';

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
      lines('ARG TAG', 'FROM a:$' + '{TAG:-9} AS one', 'FROM b$' + '{TAG:+:x}', 'COPY --from=one /x /y'),
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
      lines('FROM a', 'RUN <<EOF', 'FROM b', 'EOF', 'COPY --from=c /x /y'),
      {},
      ['a', 'c'],
    ],
    ['lower case, tabs, Windows', 'from\ta\r\ncopy --from=b /x /y\r\n', {}, ['a', 'b']],
    ['a stage that the last one does not need', lines('FROM a', 'COPY --from=b /x /y', 'FROM c'), {}, ['c']],
    [
      'stages by name, by number, by mount, and through others',
      lines(
        'FROM a AS one',
        'FROM b',
        'COPY --from=ONE /x /y',
        'FROM c',
        'FROM d AS four',
        'FROM e AS five',
        'FROM four AS six',
        'COPY --from=1 /x /y',
        'FROM f',
        'RUN --mount=from=six,target=/x true',
      ),
      {},
      ['a', 'b', 'd', 'f'],
    ],
    ['a stage that there is not', lines('FROM a', 'COPY --from=7 /x /y'), {}, ['a']],
    [
      'stages that need each other',
      lines('FROM a AS one', 'COPY --from=two /x /y', 'FROM b AS two', 'COPY --from=one /x /y'),
      {},
      ['a', 'b'],
    ],
    [
      'ONBUILD of a stage that nothing needed goes on from',
      lines('FROM a AS one', 'ONBUILD COPY --from=b /x /y', 'FROM one', 'FROM c', 'COPY --from=one /x /y'),
      {},
      ['a', 'c'],
    ],
    ['nothing', '', {}, []],
  ];
  test.each(cases)('%s', (_name, dockerfile, args, expected) => {
    expect(baseImages(dockerfile, args)).toEqual(expected);
  });

  // As BuildKit's own parser answered each of them (0.34); engines as old as 20.10 know no here-documents.
  const document = (opening: string, end = 'EOF') => lines('FROM a', opening, 'COPY --from=b /x /y', end, '');
  test.each([
    ['RUN <<EOF', ['a']],
    ['RUN <<-EOF', ['a'], '\t\tEOF'],
    ['RUN <<EOF', ['a'], 'EOF\r'],
    ['RUN <<"EOF"', ['a']],
    ["RUN <<'EOF'", ['a']],
    ['RUN <<E"O"F', ['a']],
    ['RUN << EOF', ['a']],
    ['RUN cat 3<<EOF', ['a']],
    ['RUN cat <<EOF>out', ['a'], 'EOF>out'],
    ['RUN cat <<EOF;true', ['a'], 'EOF;true'],
    ['RUN cat <<ONE <<EOF', ['a'], 'ONE\nCOPY --from=b /x /y\nEOF'],
    ['RUN --mount=from=c,target=/c <<EOF', ['a', 'c']],
    ['COPY <<EOF /x', ['a']],
    ['COPY --from=c <<EOF /x /y/', ['a', 'c']],
    ['ADD <<EOF /x', ['a']],
    ['ONBUILD RUN <<EOF', ['a']],
    ['RUN cat <<"EOF" \\\n  && true', ['a']],
    // None of these opens one.
    ['RUN echo "<<EOF"', ['a', 'b']],
    ["RUN echo '<<EOF'", ['a', 'b']],
    ['RUN echo \\<<EOF', ['a', 'b']],
    ['RUN echo "it\'s" <<EOF \'', ['a', 'b']],
    ['RUN cat <<<EOF', ['a', 'b']],
    ['RUN echo x<<EOF', ['a', 'b']],
    ['RUN echo $((1<<2))', ['a', 'b']],
    ['RUN ["cat", "<<EOF"]', ['a', 'b']],
    ['COPY ["<<EOF", "/x"]', ['a', 'b']],
    ['ENV A=<<EOF', ['a', 'b']],
    ['CMD cat <<EOF', ['a', 'b']],
    ['LABEL a=<<EOF', ['a', 'b']],
  ])('here-documents: %s', (opening, expected, end = 'EOF') => {
    expect(baseImages(document(opening, end), {}).sort()).toEqual(expected);
  });

  const of = (inside: string) => `$\{${inside}}`;
  test.each([
    [
      'FROM a AS s\nONBUILD COPY --from=b /x /y\nONBUILD RUN --mount=from=c,target=/c true\nFROM s',
      {},
      ['a', 'b', 'c'],
    ],
    ['FROM a AS s\nONBUILD COPY --from=b /x /y\nFROM d\nCOPY --from=s /x /y', {}, ['a', 'd']],
    ['# syntax=b\nFROM a', { BUILDKIT_SYNTAX: 'c and more' }, ['c', 'a']],
    ['{"syntax": "b"}', {}, ['b']],
    ['// syntax=b c', {}, ['b']],
    [`FROM a:${of('V%.*')}`, { V: '1' }, ['a:']],
    [`ARG V=3.13.1\nFROM a:${of('V%.*')}`, {}, ['a:3.13']],
    [`ARG V=3.13.1\nFROM a:${of('V%%.*')}-${of('V##*.')}`, {}, ['a:3-1']],
    [`ARG R=x/y/z\nFROM ${of('R#*/')}-${of('R//y/w')}-${of('R/?/v')}`, {}, ['y/z-x/w/z-v/y/z']],
    [`FROM ${of('V?must be given')}`, {}, []],
    ['ARG V\nFROM a-$TARGETARCH$V', {}, ['a-amd64']],
    ['ARG TARGETARCH\nFROM a-$TARGETARCH', {}, ['a-amd64']],
    ['FROM a-$TARGETSTAGE AS last', {}, ['a-last']],
    // An engine ends at what has no end; so do we.
    [`FROM ${of('A:-b')}${'$'}{`, {}, []],
    ['FROM "a', {}, []],
  ])('%j with %j', (text, buildArgs: Record<string, string>, expected) => {
    expect(baseImages(text, buildArgs)).toEqual(expected);
  });

  test('arguments that double one another end', () => {
    const doubling = `ARG X=x\n${'ARG X=$X$X\n'.repeat(10_000)}FROM a:$X\n`;
    expect(baseImages(doubling, {})).toEqual(['a:']);
    expect(baseImages(`FROM a:${'${A:-'.repeat(20_000)}b${'}'.repeat(20_000)}`, {})).toEqual(['a:b']);
  });

  test('whatever somebody writes, it answers, and what is pinned once stays as it is', () => {
    const part = fc.constantFrom(
      ...[
        'FROM ',
        'ARG X=',
        'COPY ',
        'RUN ',
        'ONBUILD ',
        '$' + '{X',
        ':-',
        '#',
        '//',
        '%',
        '}',
        '\\',
        '`',
        '\\\n',
      ],
      ...[
        '<<EOF',
        '\nEOF\n',
        '"',
        "'",
        'a',
        'b',
        ' AS ',
        '--from=',
        '--mount=',
        'from=',
        ',',
        ' ',
        '\n',
        '\r\n',
        '#',
      ],
      ...['# syntax=', '# escape=`\n', '\uFEFF', '\0', '\u00a0', '\ud800', '🚢'],
    );
    const text = fc.array(fc.oneof({ weight: 9, arbitrary: part }, { weight: 1, arbitrary: fc.string() }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        text.map((parts) => parts.join('')),
        fc.string(),
        (dockerfile, X) => {
          const images = baseImages(dockerfile, { X });
          lintDockerfile(dockerfile, { buildArgs: { X } });
          expect(pinBases(dockerfile, { X }, {})).toBe(dockerfile);
          // What is no name no registry has a digest for.
          const digests = Object.fromEntries(
            images.filter((one) => /^[ab]+$/.test(one)).map((one) => [one, `sha256:${'0'.repeat(64)}`]),
          );
          const pinned = pinBases(dockerfile, { X }, digests);
          const expected = images.map((one) => (digests[one] ? `${one}@${digests[one]}` : one));
          expect(baseImages(pinned, { X })).toEqual(expected);
          expect(pinBases(pinned, { X }, digests)).toBe(pinned);
        },
      ),
      { numRuns: 3000 },
    );
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

  test('quotes within a name, and what follows them', () => {
    const digests = { abc: digest };
    expect(pinBases('FROM a"b"c AS x\nCOPY --from="a"bc "/x y" /z\n', {}, digests)).toBe(
      `FROM abc@${digest} AS x\nCOPY --from="abc@${digest}" "/x y" /z\n`,
    );
    const mount = (from: string) => `FROM x\nRUN --mount='type=bind,"from=${from}",target=/a b' true\n`;
    expect(pinBases(mount('abc'), {}, digests)).toBe(mount(`abc@${digest}`));
  });

  test('the program that a build argument names', () => {
    const digests = { 'front:1': digest };
    expect(pinArgs({ A: 'front:1', BUILDKIT_SYNTAX: ' front:1 more' }, digests)).toEqual({
      A: 'front:1',
      BUILDKIT_SYNTAX: ` front:1@${digest} more`,
    });
    expect(pinArgs({ BUILDKIT_SYNTAX: 'other' }, digests)).toEqual({ BUILDKIT_SYNTAX: 'other' });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseImages } from '../../../shared/dockerfile/bases.ts';
import { lintDockerfile } from '../../../shared/dockerfile/lint.ts';
import { parentReference, readDockerfile } from '../../../shared/dockerfile/stages.ts';

const word = fc.stringMatching(/^[a-z]{1,8}$/);
/** Text that looks like a Dockerfile often enough to reach every branch. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      'FROM',
      'from',
      'RUN',
      'ARG',
      'ENV',
      'USER',
      'ADD',
      'COPY',
      'AS',
      '#',
      '\\',
      '`',
      '<<EOF',
      'EOF',
      '"',
    ],
    ...[
      '=',
      '$',
      '${',
      '}',
      ':-',
      '\n',
      '\r\n',
      '\t',
      ' ',
      '--from=',
      '--mount=',
      '# escape=`\n',
      '\uFEFF',
      '\0',
    ],
  ),
  word,
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const anyText = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

describe('B11 reading Dockerfiles', () => {
  test('never throws, and every line number is one of the text', () => {
    fc.assert(
      fc.property(anyText, fc.dictionary(word, fc.string()), (text, buildArgs) => {
        const lines = text.split('\n').length;
        const { before, stages } = readDockerfile(text, buildArgs);
        const numbers = [...before, ...stages.flatMap((stage) => [stage, ...stage.instructions])].map(
          ({ line }) => line,
        );
        for (const line of numbers) expect(line).toBeGreaterThanOrEqual(1);
        for (const line of numbers) expect(line).toBeLessThanOrEqual(lines);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        baseImages(text, buildArgs);
        parentReference(text, buildArgs);
        for (const { line } of lintDockerfile(text, { buildArgs })) expect(line).toBeLessThanOrEqual(lines);
      }),
      { numRuns: 2000 },
    );
  });

  const gap = fc.array(fc.constantFrom('', '# a comment', '   ', '\t# another'), { maxLength: 3 });
  const instruction = fc
    .tuple(
      fc.constantFrom('RUN', 'run', 'Env', 'COPY', 'LABEL'),
      fc.array(word, { minLength: 1, maxLength: 4 }),
      gap,
    )
    .map(([keyword, words, between]) => ({
      keyword: keyword.toUpperCase(),
      lines: words.flatMap((one, i) => [
        `${i === 0 ? `${keyword} ` : '  '}${one}${i < words.length - 1 ? ' \\' : ''}`,
        ...(i < words.length - 1 ? between : []),
      ]),
      words,
    }));

  test('finds every instruction again at its line, whatever lies between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(gap, instruction)), fc.constantFrom('\n', '\r\n'), (all, end) => {
        const lines = ['FROM a:1'];
        const expected: { line: number; keyword: string; words: string[] }[] = [];
        for (const [above, one] of all) {
          lines.push(...above);
          expected.push({ line: lines.length + 1, keyword: one.keyword, words: one.words });
          lines.push(...one.lines);
        }
        const [stage] = readDockerfile(lines.join(end)).stages;
        expect(
          stage?.instructions.map(({ line, keyword, rest }) => ({ line, keyword, words: rest.split(/\s+/) })),
        ).toEqual(expected);
      }),
    );
  });

  test('terminates soon on long and nasty text', () => {
    for (const nasty of [
      '\\\n'.repeat(50_000),
      `FROM ${'a'.repeat(100_000)}`,
      `ENV ${'a="'.repeat(30_000)}`,
      `RUN ${'<<A '.repeat(20_000)}`,
      `ARG ${'$'.repeat(60_000)}`,
      `RUN ${'pip install '.repeat(10_000)}`,
      `RUN ${'apt -x '.repeat(15_000)}`,
      `ADD ${'http://'.repeat(18_000)}`,
      `ENV A=${'a://'.repeat(30_000)}`,
      `ENV A=${'a.'.repeat(60_000)}`,
      `ENV A=${'eyJaaaaaaaaaa-'.repeat(9_000)}`,
      'FROM a\n'.repeat(18_000),
      'FROM a AS b\nFROM b AS b\nONBUILD RUN x\n'.repeat(3_000),
      `FROM a\n${'ONBUILD COPY --from=b c d\n'.repeat(5_000)}`,
      `ARG X=x\n${'ARG X=$X$X\n'.repeat(10_000)}FROM $X`,
      `FROM ${'${X:-'.repeat(25_000)}`,
      `FROM a\nRUN --mount=${'from=a,'.repeat(18_000)}`,
      `FROM a\nRUN ${'--mount=from=a '.repeat(8_000)}`,
      `ARG X=${'a'.repeat(60_000)}\nFROM \${X#${'*a'.repeat(30_000)}}`,
    ]) {
      const started = process.cpuUsage();
      lintDockerfile(nasty);
      baseImages(nasty, {});
      const { user, system } = process.cpuUsage(started);
      // Of the processor, whatever else it does. Some take minutes where anything is quadratic.
      expect((user + system) / 1e6, nasty.slice(0, 20)).toBeLessThan(10);
    }
  });

  test.each([
    ['FROM a AS B\nFROM b\nRUN x', 'a'],
    ['ARG V=2\nFROM python:$V', 'python:2'],
    ['FROM scratch', undefined],
    ['FROM $MISSING', undefined],
    ['', undefined],
  ])('I9 parent of %j is %s', (text, parent) => {
    expect(parentReference(text, {})).toBe(parent);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateDockerfile } from '../../../shared/dockerfile/generate.ts';
import { lintDockerfile } from '../../../shared/dockerfile/lint.ts';
import { pipArguments, RequirementsError } from '../../../shared/dockerfile/requirements.ts';
import { readDockerfile } from '../../../shared/dockerfile/stages.ts';
import { recipeSchema } from '../../../shared/model/dockerfile-lint.ts';

const base = 'docker.io/library/python:3.13-slim';

describe('B10 generated Dockerfiles', () => {
  test('packages as root, and the base user kept', () => {
    const text = generateDockerfile({ base, baseUser: '1000', apt: ['git'], requirements: 'numpy==2.1.0\n' });
    const [stage] = readDockerfile(text).stages;
    const users = stage?.instructions.filter(({ keyword }) => keyword === 'USER').map(({ rest }) => rest);
    expect(users).toEqual(['root', '1000']);
    expect(text).toContain('rm -rf /var/lib/apt/lists/*');
    expect(lintDockerfile(text, { notebook: true })).toEqual([]);
  });

  test('nothing to install, nothing but the base', () => {
    expect(generateDockerfile({ base, baseUser: '1000' })).toBe(`FROM ${base}\n`);
    expect(generateDockerfile({ base, user: 'me', workdir: '/w' })).toBe(
      `FROM ${base}\n\nWORKDIR /w\n\nUSER me\n`,
    );
  });

  test('requirements as people write them', () => {
    const text = [
      '# what we need',
      'numpy==2.1.0  # pinned',
      'torch>=2,<3; python_version < "3.13"',
      'ray[default,tune] == 2.*',
      'mine @ git+https://github.com/me/mine.git@v1#egg=mine',
      '--extra-index-url=https://download.pytorch.org/whl/cpu?a=b',
      '-i https://pypi.example/simple',
      '--pre',
      'scipy \\',
      '  ~=1.14',
    ].join('\r\n');
    expect(pipArguments(text)).toEqual([
      'numpy==2.1.0',
      'torch>=2,<3; python_version < "3.13"',
      'ray[default,tune] == 2.*',
      'mine @ git+https://github.com/me/mine.git@v1#egg=mine',
      '--extra-index-url',
      'https://download.pytorch.org/whl/cpu?a=b',
      '-i',
      'https://pypi.example/simple',
      '--pre',
      'scipy ~=1.14',
    ]);
  });

  test('what only works in a file, or is none, is refused with its line', () => {
    const text =
      'numpy\n-r more.txt\n-e .\nx --hash=sha256:00\n./wheel.whl\n$(id)\nnumpy; rm -rf /\n--target=/';
    try {
      pipArguments(text);
      expect.unreachable();
    } catch (error) {
      expect((error as RequirementsError).problems.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    }
  });

  test('whatever is accepted is one instruction each, with nothing for a shell', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.string()), (requirements, apt) => {
        const recipe = recipeSchema.safeParse({ base, apt, requirements: requirements.join('\n') });
        if (!recipe.success) return;
        let text: string;
        try {
          text = generateDockerfile({ ...recipe.data, base });
        } catch (error) {
          expect(error).toBeInstanceOf(RequirementsError);
          return;
        }
        const [stage, ...others] = readDockerfile(text).stages;
        expect(others).toEqual([]);
        expect(stage?.instructions.every(({ keyword }) => ['RUN', 'ARG'].includes(keyword))).toBe(true);
        for (const { rest } of stage?.instructions.filter(({ keyword }) => keyword === 'RUN') ?? [])
          if (rest.startsWith('--mount'))
            expect(Array.isArray(JSON.parse(rest.slice(rest.indexOf('['))))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('requirements become arguments of pip, word by word, and nothing else of the Dockerfile', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'numpy',
        '==1.0',
        ' ; python_version < "3"',
        '[a,b]',
        ' @ ',
        'https://x.y/z',
        'git+ssh://',
        '-i ',
        '--pre',
      ),
      fc.constantFrom(
        '\\',
        '\\\n',
        '\n',
        '\r',
        '\r\n',
        '\u2028',
        '\u0085',
        '<<EOF',
        '"',
        "'",
        ']',
        ', "',
        '$(id)',
        '`id`',
        '#',
        'USER root',
        'RUN id',
        '\u0001',
        '`\n',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (all) => {
        const requirements = all.join('\n');
        let args: string[];
        try {
          args = pipArguments(requirements);
        } catch (error) {
          expect(error).toBeInstanceOf(RequirementsError);
          return;
        }
        const { stages } = readDockerfile(generateDockerfile({ base, requirements }));
        const instructions = stages.flatMap((stage) => stage.instructions);
        expect(stages).toHaveLength(1);
        expect(instructions.map(({ keyword }) => keyword)).toEqual(
          args.length > 0 ? ['ARG', 'ARG', 'ARG', 'RUN'] : [],
        );
        const [run] = instructions.slice(3);
        if (run) expect(JSON.parse(run.args).slice(5)).toEqual(args);
        if (run) expect(run.body).toBe('');
        // pip takes what begins with a dash for an option of its own.
        for (const one of args)
          if (one.startsWith('-'))
            expect(one).toMatch(/^(--pre|--prefer-binary|--no-index|-i|-f|--[a-z-]+)$/);
      }),
      { numRuns: 3000 },
    );
  });

  test.each(['--pre\0', '-i --pre\0', '-i -x=1', 'numpy\u0007'])('is no requirement: %j', (line) => {
    expect(() => pipArguments(line)).toThrow(RequirementsError);
  });

  test("a base's user is its author's word: what is none is left out", () => {
    for (const baseUser of ['me\nRUN id', '$SHELL', 'a b', '', '../x', 'me\\'])
      expect(generateDockerfile({ base, baseUser, apt: ['git'] })).not.toContain('USER');
    expect(generateDockerfile({ base, baseUser: '1000:100', apt: ['git'] })).toContain('USER 1000:100');
  });

  test.each([
    "git'; rm -rf /",
    'git && x',
    '$(id)',
    '-y',
    'a',
    'git=1 x',
    'git\nRUN x',
    'Git',
    '../x',
    'a/b',
  ])('no package: %j', (name) => {
    expect(recipeSchema.safeParse({ base, apt: [name] }).success).toBe(false);
  });
  test.each(['git', 'libstdc++6', 'gcc-12:amd64', 'curl=7.88.1-10+deb12u5', 'xz=1:2.3~rc1'])(
    'a package: %s',
    (name) => {
      expect(recipeSchema.safeParse({ base, apt: [name] }).success).toBe(true);
    },
  );
});

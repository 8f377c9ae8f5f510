/** What is given to a build and that its Dockerfile takes no notice of. */
import { describe, expect, test } from 'vitest';
import { unusedIn } from '../../../shared/dockerfile/unused.ts';

const args = (dockerfile: string, ...names: string[]) =>
  unusedIn(dockerfile, { buildArgs: Object.fromEntries(names.map((name) => [name, '1'])) });
const secrets = (dockerfile: string, ...ids: string[]) =>
  unusedIn(dockerfile, { secrets: Object.fromEntries(ids.map((id) => [id, 'stored'])) });

describe('B1 build arguments that no ARG declares', () => {
  test('both names are told, the nearest first', () => {
    expect(args('FROM a\nARG BASE\nARG VERSION=1\n', 'VERSOIN')).toEqual([
      {
        code: 'build-arg-unknown',
        line: 3,
        message: 'The build argument VERSOIN has no effect: the Dockerfile only declares VERSION, BASE',
        remedy: 'Correct the name, or declare it with ARG VERSOIN.',
      },
    ]);
    expect(args('FROM a\n', 'X')[0]?.message).toContain('declares no ARG');
    expect(args('FROM a\nARG version\n', 'VERSION')[0]?.message).toContain('declares version');
  });

  test.each([
    ['above the first FROM', 'ARG X\nFROM a\n'],
    ['in any stage', 'FROM a AS one\nARG X\nFROM b\n'],
    ['several in one', 'FROM a\nARG Y=2 X="3 4" Z\n'],
    ['for a later build', 'FROM a\nONBUILD ARG X\n'],
    ['another program reads it', '# syntax=example/frontend:1\nFROM a\n'],
  ])('nothing where it is declared: %s', (_name, dockerfile) => {
    expect(args(dockerfile, 'X')).toEqual([]);
  });

  test('nor of those that are taken without an ARG', () => {
    const own = ['HTTPS_PROXY', 'no_proxy', 'SOURCE_DATE_EPOCH', 'BUILDKIT_INLINE_CACHE', 'TARGETARCH'];
    expect(args('FROM a\n', ...own)).toEqual([]);
    expect(args('# syntax=docker/dockerfile:1\nFROM a\n', 'X')).toHaveLength(1);
  });
});

describe('B16 secrets that no RUN mounts', () => {
  test('both ids are told', () => {
    expect(secrets('FROM a\nRUN true\nRUN --mount=type=secret,id=pip_token x\n', 'pip-token')).toEqual([
      {
        code: 'secret-not-mounted',
        line: 3,
        message: 'No step mounts the secret pip-token: the Dockerfile only mounts pip_token',
        remedy:
          'Name it in `secrets` by the id of its mount, or mount it with RUN --mount=type=secret,id=pip-token.',
      },
    ]);
    expect(secrets('FROM a\nRUN --mount=type=cache,target=/c x\n', 'x')[0]?.message).toContain(
      'mounts no secret',
    );
  });

  test.each([
    ['by its id', 'RUN --mount=type=secret,id=s,required=true x'],
    ['by its source', 'RUN --mount=type=secret,source=s,target=/x x'],
    ['by the name of its target', 'RUN --mount=type=secret,target=/run/s x'],
    ['beside another mount', 'RUN --mount=type=cache,target=/c --mount=type=secret,id=s x'],
    ['with quotes', 'RUN --mount="type=secret,id=s" x'],
    ['for a later build', 'ONBUILD RUN --mount=type=secret,id=s x'],
    ['by a variable', 'ARG ID\nRUN --mount=type=secret,id=$ID x'],
  ])('nothing where it is mounted: %s', (_name, line) => {
    expect(secrets(`FROM a\n${line}\n`, 's')).toEqual([]);
  });

  test('nor of the credentials that ADD takes by itself', () => {
    expect(
      secrets('FROM a\nADD https://a.example/x.git /x\n', 'GIT_AUTH_TOKEN', 'HTTP_AUTH_TOKEN_a'),
    ).toHaveLength(1);
    expect(
      secrets('FROM a\nADD https://a.example/x.git /x\n', 'GIT_AUTH_TOKEN', 'GIT_AUTH_HEADER.a.example'),
    ).toEqual([]);
  });
});

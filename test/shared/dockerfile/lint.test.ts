import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretName } from '../../../shared/dockerfile/credentials.ts';
import { lintDockerfile } from '../../../shared/dockerfile/lint.ts';

const found = (text: string, options = {}) =>
  lintDockerfile(text, options).map(({ code, line }) => `${line} ${code}`);

describe('B11 lint', () => {
  const cases: [string, string[]][] = [
    ['FROM python:3.13-slim\nRUN pip install numpy', []],
    ['FROM a:1\nRUNN x\n\nCOPPY a b', ['2 unknown-instruction', '4 unknown-instruction']],
    ['RUN x\nFROM a:1', ['1 from-missing']],
    ['', ['1 from-missing']],
    ['FROM python', ['1 from-without-tag']],
    ['FROM localhost:5000/python', ['1 from-without-tag']],
    ['FROM python:latest', ['1 from-latest']],
    [`FROM python@sha256:${'0'.repeat(64)}`, []],
    ['FROM a:1 AS b\nFROM b\nFROM scratch', []],
    ['ARG T=latest\nFROM a:$T', ['2 from-latest']],
    ['ARG BASE\nFROM $BASE', []],
    ['FROM a:1\nADD https://x.y/z /z', ['2 add-remote']],
    ['FROM a:1\nADD --checksum=sha256:00 https://x.y/z /z\nADD x.tar /', []],
    ['FROM a:1\nARG HF_TOKEN', ['2 secret-name']],
    ['FROM a:1\nENV A=b \\\n  DB_PASSWORD=x', ['2 secret-name']],
    ['FROM a:1\nENV API_KEY x', ['2 secret-name']],
    ['FROM a:1\nENV TOKENIZERS_PARALLELISM=false DB_PASSWORD_FILE=/x API_TOKEN=/run/secrets/t B_TOKEN=', []],
    [`FROM a:1\nENV X=ghp_${'a'.repeat(36)}`, ['2 secret-value']],
    ['FROM a:1\nRUN pip install -i https://me:pw@x.y/simple z', ['2 secret-value']],
    ['FROM a:1\nRUN <<EOF\ncurl https://me:pw@x.y\nEOF', ['2 secret-value']],
    ['FROM a:1\nUSER me\nRUN apt-get update && apt-get install -y git', ['3 apt-as-user']],
    ['FROM a:1\nUSER me\nRUN sudo apt-get install -y git\nUSER root\nRUN apt install git', []],
    ['FROM a:1 AS x\nUSER me\nFROM x\nRUN apt-get -y install git', ['4 apt-as-user']],
    ['FROM a:1\nUSER root\nRUN pip install --user x', []],
  ];
  test.each(cases)('%j', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  test.each([
    ['FROM kubeflownotebookswg/jupyter:v1.10.0\nRUN apt-get install x', ['2 apt-as-user']],
    [
      'FROM ghcr.io/kubeflow/kubeflow/notebook-servers/base:v1.10.0\nEXPOSE 8888\nUSER root',
      ['3 notebook-user-root'],
    ],
    ['FROM x/jupyter:1\nUSER root\nRUN pip3 install -U --user y\nUSER jovyan', ['3 notebook-pip-user']],
    ['FROM x:1\nENV NB_PREFIX=/\nUSER 0:0', ['3 notebook-user-root']],
  ])('notebooks: %j', (text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(found(text, { notebook: false }).every((one) => !one.includes('notebook'))).toBe(true);
  });

  test('says what to do, and never repeats a value', () => {
    const [first] = lintDockerfile('FROM a:1\nENV DB_PASSWORD=hunter2hunter2');
    expect(first?.remedy).toContain('--mount=type=secret');
    expect(JSON.stringify(first)).not.toContain('hunter2');
  });

  test.each<[string, Record<string, string>, string[]]>([
    // What counts for a build is what it is given.
    ['ARG INDEX=https://x.y', { INDEX: 'https://me:hunter2hunter2@x.y' }, ['2 secret-value']],
    ['ARG HF_TOKEN=', { HF_TOKEN: 'hunter2hunter2' }, ['2 secret-name']],
    ['ARG HF_TOKEN=hunter2hunter2', { HF_TOKEN: '' }, []],
    ['ARG A B=1', { B: `ghp_${'a'.repeat(36)}` }, ['2 secret-value']],
    // The engine doesn't give it to anything.
    ['ENV A=1', { A: 'https://me:hunter2hunter2@x.y' }, []],
  ])('of build arguments that are given: %s', (line, buildArgs, expected) => {
    expect(found(`FROM a:1\n${line}`, { buildArgs })).toEqual(expected);
    expect(JSON.stringify(lintDockerfile(`FROM a:1\n${line}`, { buildArgs }))).not.toContain('hunter2');
  });

  test('names whose only likeness is a part of a word are none', () => {
    for (const name of ['MAX_TOKENS', 'KEYBOARD', 'PWD', 'PASSWORDLESS', 'TOKEN_URL', 'SECRETARY', 'KEY'])
      expect(isSecretName(name), name).toBe(false);
    for (const name of [
      'awsSecretAccessKey',
      'npm-token',
      'WANDB_API_KEY',
      'PGPASSWORD_SECRET',
      'private_key',
    ])
      expect(isSecretName(name), name).toBe(true);
    fc.assert(fc.property(fc.string(), (name) => typeof isSecretName(name) === 'boolean'));
  });
});

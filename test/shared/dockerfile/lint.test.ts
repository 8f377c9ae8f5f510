import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretName } from '../../../shared/dockerfile/credentials.ts';
import { lintDockerfile } from '../../../shared/dockerfile/lint.ts';

const found = (text: string, options = {}) =>
  lintDockerfile(text, options).map(({ code, line }) => `${line} ${code}`);

const variable = (inside: string) => `$\{${inside}}`;

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

  describe('apt of a user who is not root', () => {
    const run = (line: string) => found(`FROM a:1\nUSER bob\n${line}`).map((one) => one.slice(2));
    const none: string[] = [
      'RUN sudo apt-get install -y git',
      'RUN sudo -u root apt-get update && sudo -EH apt-get -y install git',
      'RUN sudo -n -u root -- apt-get install x',
      'RUN sudo --user=root apt-get install x',
      'RUN sudo --user root apt-get install x',
      'RUN sudo DEBIAN_FRONTEND=noninteractive apt-get install -y x',
      'RUN sudo -E env DEBIAN_FRONTEND=noninteractive apt-get install -y x',
      'RUN sudo sh -c "apt-get update && apt-get install x"',
      "RUN sudo bash -euxc 'apt-get install x'",
      'RUN ["sudo", "apt-get", "install", "x"]',
      'RUN su -c "apt-get install x"',
      'RUN su root -c "apt-get install x"',
      'RUN gosu root apt-get install x',
      'RUN doas apt-get install x',
      'RUN echo "run apt-get install x as root"',
      "RUN echo 'apt-get install x' > /tmp/readme",
      'RUN printf "%s" apt-get install',
      'RUN echo apt-get install x',
      'RUN cat > /tmp/x <<EOF\napt-get install x\nEOF',
      "RUN cat <<'EOF' | tee /tmp/x\napt-get update\nEOF",
      'RUN python3 <<EOF\nprint("x"); apt-get install x\nEOF',
      'RUN <<EOF\n#!/usr/bin/env python3\napt-get install x\nEOF',
      'RUN <<EOF\ncat <<X >/tmp/x\napt-get install x\nX\necho done\nEOF',
      'RUN <<EOF\n# apt-get install x\nsudo apt-get install x\nEOF',
      'RUN true # apt-get install x',
      'RUN apt-get --help',
      'RUN apt-get -s install x',
      'RUN apt list --installed',
      'RUN which apt-get install',
      'RUN test -x /usr/bin/apt && update',
      'RUN sudo apt-get update; git config x "; apt-get install y"',
      'COPY apt-get install /x/',
      'USER "root"\nRUN apt-get install x',
      "USER 'root'\nRUN apt-get install x",
      'USER 0\nRUN apt-get install x',
      'USER 00\nRUN apt-get install x',
      'USER 0:0\nRUN apt-get install x',
      'USER root:root\nRUN apt-get install x',
      'USER $WHO\nRUN apt-get install x',
      'ARG WHO=root\nUSER $WHO\nRUN apt-get install x',
      `ENV WHO=root\nUSER ${variable('WHO')}:root\nRUN apt-get install x`,
      `USER ${variable('WHO:-bob')}\nRUN apt-get install x`,
      'RUN sudo -u $WHO apt-get install x',
    ];
    test.each(none)('none: %j', (line) => expect(run(line)).toEqual([]));

    const warned: string[] = [
      'RUN apt-get install x',
      'RUN /usr/bin/apt-get update',
      'RUN DEBIAN_FRONTEND=noninteractive apt-get install x',
      'RUN env A=b apt-get -y install x',
      'RUN apt-get -o Dpkg::Options::=--force-confold install x',
      'RUN apt-get -yq dist-upgrade',
      'RUN set -ex; apt-get update',
      'RUN (cd /x && apt install y)',
      'RUN if true; then apt-get update; fi',
      'RUN while ! apt-get update; do sleep 1; done',
      'RUN for p in a b; do apt-get install $p; done',
      'RUN timeout -k 5 300 apt-get update',
      'RUN cat x | xargs -n 1 apt-get install',
      'RUN sh -c "apt-get install x"',
      'RUN ["bash", "-o", "pipefail", "-c", "apt-get install x"]',
      'RUN ["apt-get", "install", "x"]',
      'RUN eval "apt-get install x"',
      'RUN echo $(apt-get install x)',
      'RUN echo "$(apt-get install x)"',
      'RUN sudo -u bob apt-get install x',
      'RUN sudo echo x && apt-get install x',
      'RUN sudo true; sh -c "apt-get install x"',
      'RUN gosu bob apt-get install x',
      'RUN <<EOF\nset -e\napt-get install x\nEOF',
      'RUN bash <<EOF\napt-get install x\nEOF',
      'RUN <<EOF\n#!/bin/bash\napt-get install x\nEOF',
      'RUN <<EOF\ncat <<X\ntext\nX\napt-get install x\nEOF',
      'RUN apt-get \\\n  install x',
      'RUN --mount=type=cache,target=/var/cache/apt apt-get install x',
      'ARG WHO=bob\nUSER $WHO\nRUN apt-get install x',
      'USER "bob"\nRUN apt-get install x',
      'USER 1000:0\nRUN apt-get install x',
    ];
    test.each(warned)('apt-as-user: %j', (line) => expect(run(line)).toEqual(['apt-as-user']));
  });

  const names: [string, string[]][] = [
    ['FROM ubuntu:$V', ['1 from-unset-argument']],
    ['ARG V\nFROM ubuntu:$V', ['2 from-unset-argument']],
    ['ARG V\nFROM $V/ubuntu:24.04', ['2 from-unset-argument']],
    [`ARG V=24.04\nFROM ubuntu:${variable('V')}`, []],
    [`FROM ubuntu:${variable('V:-24.04')}`, []],
    ['ARG SUFFIX\nFROM ubuntu:24.04$SUFFIX', []],
    ['FROM a-$TARGETARCH:1', []],
    ['FROM a:1 AS Build\nFROM build', ['1 stage-name-case']],
    ['FROM a:1 AS build\nFROM Build', ['2 from-without-tag', '2 stage-name-case']],
    ['FROM a:1 AS build\nFROM b:1\nCOPY --from=Build / /', []],
    ['FROM a:1\nCOPY --from=3 / /', ['2 engines-differ']],
    ['# syntax=mine/front:1\nFROM a:1\nWHATEVER x', []],
    ['# syntax=docker/dockerfile:1\nFROM a:1\nWHATEVER x', ['3 unknown-instruction']],
    ['FROM a:1\nADD --chown=1 --checksum=sha256:0 https://x/y /z', []],
    ['FROM a:1\nADD x --checksum=y https://x/y /z', ['2 add-remote']],
    ['FROM a:1\nADD ["https://x/y", "/z"]', ['2 add-remote']],
    [`FROM a:1\nADD https://github.com/x/y.git#${'a'.repeat(40)} /z`, []],
    ['FROM a:1\nADD x.tar https://x/', []],
    ['FROM a:1\nENV ALLOW_EMPTY_PASSWORD=yes', []],
    ['FROM a:1\nENV PGPASSWORD=hunter2', ['2 secret-name']],
    ['FROM a:1\nRUN pip install sk-learn-contrib-extensions-for-everybody', []],
    ['FROM x/jupyter:1\nRUN echo "pip install --user x"', []],
    ['FROM x/jupyter:1\nRUN python3 -m pip install --no-cache-dir --user x', ['2 notebook-pip-user']],
    ['FROM x/jupyter:1\nRUN pip --no-cache-dir install x --user && true', ['2 notebook-pip-user']],
    ['FROM x/jupyter:1\nRUN pip install x; useradd --user y', []],
    ['FROM x/jupyter:1\nUSER "root"', ['2 notebook-user-root']],
    ['FROM x/jupyter:1\nUSER root\nUSER $NB_USER', []],
  ];
  test.each(names)('%j', (text, expected) => {
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

/** Which images BuildKit says that it resolves, in the words of its versions, and those that it may. */
import { describe, expect, test } from 'vitest';
import { createImageWatch, resolvedIn } from '../../builder/resolved-images.ts';
import { parseLocation } from '../../shared/registry/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;

describe('lines that name an image', () => {
  test.each([
    // Docker 20.10
    ['#3 [internal] load metadata for docker.io/library/base:1', 'docker.io/library/base:1'],
    ['#2 resolve image config for docker.io/docker/dockerfile:1', 'docker.io/docker/dockerfile:1'],
    [`#3 docker-image://docker.io/docker/dockerfile:1@${digest}`, `docker.io/docker/dockerfile:1@${digest}`],
    [`#4 [1/2] FROM docker.io/library/base:1@${digest}`, `docker.io/library/base:1@${digest}`],
    ['#5 FROM docker.io/library/img:latest', 'docker.io/library/img:latest'],
    [`#4 resolve docker.io/library/base:1@${digest} done`, `docker.io/library/base:1@${digest}`],
    // Docker 23 and later
    [
      '#2 resolve image config for docker-image://docker.io/docker/dockerfile:1',
      'docker.io/docker/dockerfile:1',
    ],
    [`#7 [stage-1 1/3] FROM localhost:5000/a/b:1@${digest}`, `localhost:5000/a/b:1@${digest}`],
    [`#7 [linux/amd64 build 1/3] FROM r.example/b@${digest}`, `r.example/b@${digest}`],
    ['#3 [linux/arm64 internal] load metadata for docker.io/library/base:1', 'docker.io/library/base:1'],
    [`#4 resolve docker.io/library/base:1@${digest} 0.1s done`, `docker.io/library/base:1@${digest}`],
    [`#4 resolve docker.io/library/base:1@${digest} 0.0s`, `docker.io/library/base:1@${digest}`],
    [
      '#3 resolve image config for docker-image://docker.io/docker/buildkit-syft-scanner:stable-1',
      'docker.io/docker/buildkit-syft-scanner:stable-1',
    ],
  ])('%s', (line, image) => expect(resolvedIn(line)).toBe(image));

  test.each([
    '#5 [2/2] RUN echo FROM docker.io/library/img:latest',
    '#5 [2/2] COPY --from=one /x /y',
    '#5 0.124 #6 FROM docker.io/library/img:latest',
    '#5 0.124 FROM docker.io/library/img:latest',
    '#5 0.124 resolve docker.io/library/img:latest done',
    '#4 DONE 0.0s',
    '#4 CACHED',
    `#4 ${digest} 1.2kB / 1.2kB done`,
    '#6 importing cache manifest from r.example/app:slipway-cache',
    '#1 [internal] load build definition from Dockerfile',
    'FROM docker.io/library/img:latest',
    '   1 | FROM img',
  ])('none: %s', (line) => expect(resolvedIn(line)).toBeUndefined());
});

describe('B6 an image that is not among the bases', () => {
  const bases = [
    { ...parseLocation('base:1'), digest },
    parseLocation('R.example/not/looked-up'),
    { ...parseLocation('docker/dockerfile:1'), digest },
  ];
  const watched = (...lines: string[]) => {
    const watch = createImageWatch(bases);
    return { taken: lines.map((line) => watch.take(line)), failure: watch.failure() };
  };

  test.each([
    `#3 [internal] load metadata for docker.io/library/base:1@${digest}`,
    `#4 [1/2] FROM docker.io/library/base:1@${digest}`,
    `#4 [1/2] FROM docker.io/library/base@${digest}`,
    '#4 [1/2] FROM R.example/not/looked-up:latest',
    `#4 resolve r.example/not/looked-up:latest@${other} 0.1s done`,
    `#3 docker-image://docker.io/docker/dockerfile:1@${digest}`,
  ])('may be: %s', (line) => expect(watched(line)).toEqual({ taken: [true], failure: undefined }));

  test.each([
    '#3 [internal] load metadata for docker.io/library/img:latest',
    '#3 [internal] load metadata for docker.io/library/base:1',
    '#3 [internal] load metadata for docker.io/library/base:2',
    `#4 [1/2] FROM docker.io/library/base:1@${other}`,
    `#4 FROM r.example/base:1@${digest}`,
    '#4 FROM r.example/not/looked-up:2',
    '#2 resolve image config for docker-image://docker.io/docker/buildkit-syft-scanner:stable-1',
    '#4 FROM docker.io/Bad/name',
  ])('ends the build: %s', (line) => {
    const { taken, failure } = watched('#1 [internal] load build definition from Dockerfile', line, line);
    expect(taken).toEqual([true, false, true]);
    expect(failure).toMatchObject({
      code: 'base-image-unexpected',
      message: expect.stringContaining(resolvedIn(line) ?? '-'),
    });
  });
});

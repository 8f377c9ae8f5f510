/** Dockerfiles that are none, and steps that fail or cannot begin. */
import { describe, expect, test } from 'vitest';
import { failureOf } from './printed.ts';

describe('B1 B4 why a build failed', () => {
  const dockerfiles: [string, string][] = [
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO',
      'Dockerfile parse error line 2: unknown instruction: FOO',
    ],
    [
      'ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: FOO',
      'Dockerfile parse error on line 2: unknown instruction: FOO',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: file with no instructions',
      'File with no instructions',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile line greater than max allowed size of 65535',
      'Dockerfile line greater than max allowed size of 65535',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: no build stage in current context',
      'No build stage in current context',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: base name ($NOPE) should not be blank',
      'FROM $NOPE does not name an image. Give its ARG a default value, or set that name in buildArgs.',
    ],
  ];
  test.each(dockerfiles)('a Dockerfile that does not parse: %s', (line, message) => {
    expect(
      failureOf(`#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n${line}`),
    ).toMatchObject({
      code: 'dockerfile-invalid',
      message,
      lastLines: [line],
    });
  });

  test('a step, with its exit code and its own last lines', () => {
    const failure = failureOf(`
#4 [1/3] FROM docker.io/library/base
#4 CACHED
#5 [2/3] RUN true
#5 0.1 another step says this
#6 [3/3] RUN echo hi && exit 3
#6 0.124 hi
#6 ERROR: executor failed running [/bin/sh -c echo hi && exit 3]: exit code: 3
------
 > [3/3] RUN echo hi && exit 3:
------
executor failed running [/bin/sh -c echo hi && exit 3]: exit code: 3`);
    expect(failure).toEqual({
      code: 'step-failed',
      message: '[3/3] RUN echo hi && exit 3 ended with exit code 3.',
      step: '[3/3] RUN echo hi && exit 3',
      exitCode: 3,
      lastLines: ['hi'],
    });
  });

  test('the same from buildx', () => {
    expect(
      failureOf(`
#7 [build 2/2] RUN make
#7 0.300 make: *** No rule
#7 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [build 2/2] RUN make:
0.300 make: *** No rule
------
Dockerfile:2
--------------------
   2 | >>> RUN make
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2`),
    ).toMatchObject({
      code: 'step-failed',
      step: '[build 2/2] RUN make',
      exitCode: 2,
      lastLines: ['make: *** No rule'],
    });
  });

  test.each<[string, boolean, RegExp]>([
    ['COPY train.py /x', true, /^"\/train\.py" is not in the context\. .*exactly this path/],
    [
      'COPY train.py /x',
      false,
      /^"\/train\.py" is missing because this build has no context\. .*contextUploadId/,
    ],
    ['COPY train.py /x', true, /and \.dockerignore must not exclude it\.$/],
    [
      'COPY --from=made train.py /x',
      true,
      /^"\/train\.py" does not exist in the stage or image that COPY --from names/,
    ],
    [
      'RUN --mount=type=bind,from=made,source=/train.py true',
      false,
      /^"\/train\.py" does not exist in the stage/,
    ],
    ['RUN --mount=from=made,source=/train.py true', true, /^"\/train\.py" does not exist in the stage/],
    ['RUN --mount=type=bind,source=train.py true', false, /^"\/train\.py" is missing .*no context/],
  ])('a file that is missing: %s, %s', (step, hasFiles, message) => {
    for (const said of [
      '"/train.py" not found: not found',
      'failed to compute cache key: failed to calculate checksum of ref x: "/train.py": not found',
    ]) {
      const failure = failureOf(`#5 [2/2] ${step}\n#5 ERROR: ${said}`, hasFiles);
      expect(failure).toMatchObject({ code: 'file-missing', message: expect.stringMatching(message) });
    }
  });

  const steps: [string, string, string][] = [
    ['[1/1] COPY nosuch /x', '"/nosuch" not found: not found', 'file-missing'],
    [
      '[2/2] COPY a /a',
      'failed to compute cache key: failed to calculate checksum of ref x: "/a": not found',
      'file-missing',
    ],
    [
      '[2/2] RUN --mount=type=secret,id=tok,required=true true',
      'secret tok not found: not found',
      'secret-missing',
    ],
    [
      '[2/2] RUN python train.py',
      'executor failed running [/bin/sh -c python train.py]: exit code: 137',
      'out-of-memory',
    ],
    ['[2/2] COPY . .', 'failed to copy files: write /x: no space left on device', 'disk-full'],
    [
      '[2/2] ADD https://example.org/x /x',
      'failed to load cache key: invalid response status 404',
      'download-failed',
    ],
  ];
  test.each(steps)('%s: %s', (name, message, code) => {
    expect(failureOf(`#5 ${name}\n#5 ERROR: ${message}\n------\n${message}`)).toMatchObject({
      code,
      step: name,
    });
  });

  const engineFaults = [
    'failed to create endpoint x9k on network bridge: adding interface veth1 to bridge docker0 failed: could not find bridge docker0: route ip+net: no such network interface',
    'failed to create shim task: OCI runtime create failed: unable to apply cgroup configuration: unknown',
    'executor failed running [/bin/sh -c make]: could not find bridge docker0: no such network interface',
    'rpc error: code = Unavailable desc = error reading from server: EOF',
  ];
  test.each(engineFaults)('an engine that could not begin the step: %s', (message) => {
    expect(failureOf(`#5 [2/2] RUN make\n#5 ERROR: ${message}\n------\n${message}`).code).toBe(
      'builder-failed',
    );
  });

  const stepFaults = [
    'runc run failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory',
    'process "/bin/sh -c echo rpc error" did not complete successfully: exit code: 2',
    'executor failed running [/bin/sh -c echo rpc error]: signal: terminated',
    'unable to find user nobody: no matching entries in passwd file',
  ];
  test.each(stepFaults)('a step that cannot run: %s', (message) => {
    expect(failureOf(`#5 [2/2] RUN x\n#5 ERROR: ${message}\n------\n${message}`).code).toBe('step-failed');
  });

  test('a step that fills the disk', () => {
    expect(
      failureOf(
        '#5 [2/2] RUN dd if=/dev/zero of=/x\n#5 1.0 dd: error writing: No space left on device\n#5 ERROR: executor failed running [/bin/sh -c dd]: exit code: 1',
      ).code,
    ).toBe('disk-full');
  });

  test('a file that ONBUILD copies: by its name in the image, not by where the engine has mounted that', () => {
    const failure = failureOf(`
#5 COPY --from=127.0.0.1:5000/acme/tools:1 /bin/tool /x
#5 ERROR: lstat /var/lib/docker/tmp/buildkit-mount2778731847/bin/tool: no such file or directory
------
 > COPY --from=127.0.0.1:5000/acme/tools:1 /bin/tool /x:
------
lstat /var/lib/docker/tmp/buildkit-mount2778731847/bin/tool: no such file or directory`);
    expect(failure).toMatchObject({
      code: 'file-missing',
      message: '"/bin/tool" does not exist in the stage or image that COPY --from names.',
    });
  });

  test('what a step prints is never taken for the reason', () => {
    expect(
      failureOf(
        '#5 [2/2] RUN ./fetch\n#5 1.0 toomanyrequests unauthorized parse error\n#5 ERROR: executor failed running [/bin/sh -c ./fetch]: exit code: 1',
      ).code,
    ).toBe('step-failed');
  });

  test('a cache that cannot be read is no failure', () => {
    expect(
      failureOf(
        '#4 importing cache manifest from r/x:cache\n#4 ERROR: r/x:cache: not found\n#5 [2/2] RUN false\n#5 ERROR: executor failed running [/bin/sh -c false]: exit code: 1',
      ),
    ).toMatchObject({ code: 'step-failed', step: '[2/2] RUN false' });
  });

  test('a client that says nothing of any of this', () => {
    expect(failureOf('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.')).toMatchObject({
      code: 'builder-failed',
      lastLines: ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'],
    });
  });
});

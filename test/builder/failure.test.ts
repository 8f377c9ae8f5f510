import { describe, expect, test } from 'vitest';
import { BuildProgress, pullFailure, pushFailure } from '../../builder/failure.ts';

/** What BuildKit prints, of Docker 20.10 and of buildx 0.2x. */
const failureOf = (output: string, hasFiles = true) => {
  const progress = new BuildProgress(hasFiles);
  for (const line of output.trim().split('\n')) progress.take(line);
  return progress.failure();
};

describe('B1 B4 why a build failed', () => {
  test('B6 an image to copy from that its registry does not give', () => {
    const failure = failureOf(`
#5 FROM 127.0.0.1:5000/hidden/base:1
#5 ERROR: pulling from host 127.0.0.1:5000 failed with status code [manifests 1]: 401 Unauthorized
------
 > FROM 127.0.0.1:5000/hidden/base:1:
------
failed to load cache key: pulling from host 127.0.0.1:5000 failed with status code [manifests 1]: 401 Unauthorized`);
    expect(failure.code).toBe('base-image-unauthorized');
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
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: no build stage in current context',
      'No build stage in current context',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: base name ($NOPE) should not be blank',
      'FROM $NOPE names no image: give its ARG a default value, or buildArgs one under exactly that name.',
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

  const bases: [string, string][] = [
    ['docker.io/library/python:3.99: not found', 'base-image-not-found'],
    [
      'quay.io/x/y: failed to resolve source metadata for quay.io/x/y: quay.io/x/y: not found',
      'base-image-not-found',
    ],
    [
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'base-image-unauthorized',
    ],
    [
      'unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 403 Forbidden',
      'base-image-unauthorized',
    ],
    [
      'failed to do request: Head "http://127.0.0.1:5999/v2/nosuch/manifests/1": dial tcp 127.0.0.1:5999: connect: connection refused',
      'base-image-unavailable',
    ],
    [
      'failed to do request: Head "https://registry-1.docker.io/v2/library/python/manifests/3": dial tcp: lookup registry-1.docker.io: no such host',
      'base-image-unavailable',
    ],
    ['toomanyrequests: You have reached your pull rate limit.', 'rate-limited'],
    ['no match for platform in manifest sha256:abc: not found', 'base-image-not-found'],
    ['quay.io/acme/sd-512:503: not found', 'base-image-not-found'],
    [
      'unexpected status from HEAD request to https://ghcr.io/v2/acme/sd-404/manifests/429: 502 Bad Gateway',
      'base-image-unavailable',
    ],
  ];
  test.each(bases)('a base image: %s', (message, code) => {
    const failure = failureOf(
      `#3 [internal] load metadata for docker.io/library/x:1\n#3 ERROR: ${message}\n------\n > [internal] load metadata for docker.io/library/x:1:\n------\nfailed to solve with frontend dockerfile.v0: failed to create LLB definition: ${message}`,
    );
    expect(failure.code).toBe(code);
    expect(failure.step).toBeUndefined();
    expect(failure.lastLines?.length).toBeGreaterThan(0);
  });

  test.each<[string, boolean, RegExp]>([
    ['COPY train.py /x', true, /^"\/train\.py" is not among the build's files: .*exactly this path/],
    ['COPY train.py /x', false, /^"\/train\.py" is not there: this build has no files\. .*contextUploadId/],
    ['COPY train.py /x', true, /and \.dockerignore may not exclude it\.$/],
    ['COPY --from=made train.py /x', true, /^"\/train\.py" is not in what it is copied from/],
    ['RUN --mount=type=bind,from=made,source=/train.py true', false, /^"\/train\.py" is not in what it is/],
    ['RUN --mount=from=made,source=/train.py true', true, /^"\/train\.py" is not in what it is/],
    ['RUN --mount=type=bind,source=train.py true', false, /^"\/train\.py" is not there: .*no files/],
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
      'step-failed',
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

describe('R9 a registry whose certificate the engine does not trust', () => {
  const said = 'Get "https://10.0.0.2/v2/": x509: certificate signed by unknown authority';

  test('while a base image is looked up, and pulled', () => {
    for (const step of ['[internal] load metadata for 10.0.0.2/x:1', 'FROM 10.0.0.2/x:1'])
      expect(
        failureOf(`
#3 ${step}
#3 ERROR: failed to do request: ${said}
------
 > ${step}:
------
failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request: ${said}`)
          .code,
      ).toBe('registry-untrusted');
    expect(pullFailure('10.0.0.2/x:1', [`Error response from daemon: ${said}`]).code).toBe(
      'registry-untrusted',
    );
  });

  test('while it is pushed to', () => {
    expect(pushFailure('10.0.0.2/x:1', ['The push refers to repository [10.0.0.2/x]', said])).toMatchObject({
      code: 'registry-untrusted',
      message: expect.stringContaining('unknown authority'),
    });
  });
});

describe('B1 why a push failed', () => {
  const pushes: [string, string][] = [
    ['denied: requested access to the resource is denied', 'push-unauthorized'],
    ['unauthorized: authentication required', 'push-unauthorized'],
    ['no basic auth credentials', 'push-unauthorized'],
    [
      'denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource',
      'push-unauthorized',
    ],
    [
      'denied: User: arn:aws:sts::0:assumed-role/x is not authorized to perform: ecr:InitiateLayerUpload',
      'push-unauthorized',
    ],
    ['denied: the quota of this project is used up', 'push-refused'],
    [
      "denied: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the tag is immutable.",
      'push-refused',
    ],
    [
      "name unknown: The repository with name 'acme/x' does not exist in the registry with id '000000000000'",
      'push-refused',
    ],
    [
      "tag invalid: The image tag 'v1' already exists in the 'acme/unet-512' repository and cannot be overwritten because the tag is immutable.",
      'push-refused',
    ],
    ['the quota of 512 MiB is used up', 'push-refused'],
    [
      "name unknown: The repository with name 'acme/sd-512' does not exist in the registry with id '000000000000'",
      'push-refused',
    ],
    ["tag invalid: '503' is reserved for the repository acme/timeout-401", 'push-refused'],
    ['received unexpected HTTP status: 500 the quota is used up', 'push-refused'],
    [
      'push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'push-unauthorized',
    ],
    [
      'unexpected status from PUT request to https://r.example/v2/acme/sd-512/manifests/1: 400 Bad Request - Server message: layers at most: 512 MiB',
      'push-refused',
    ],
    [
      'unexpected status from PUT request to https://r.example/v2/acme/x/manifests/1: 502 Bad Gateway',
      'target-unavailable',
    ],
    ['error parsing HTTP 504 response body: unexpected end of JSON input', 'target-unavailable'],
    ['Put "https://r.example/v2/x": net/http: TLS handshake timeout', 'target-unavailable'],
    ['Put "https://r.example/v2/x": net/http: timeout awaiting response headers', 'target-unavailable'],
    ['toomanyrequests: too many requests', 'rate-limited'],
    ['received unexpected HTTP status: 413 Request Entity Too Large', 'push-refused'],
    ['dial tcp 127.0.0.1:1: connect: connection refused', 'target-unavailable'],
    ['Get "https://r.example/v2/": dial tcp: lookup r.example: no such host', 'target-unavailable'],
    ['Get "https://r.example/v2/": http: server gave HTTP response to HTTPS client', 'target-unavailable'],
    ['received unexpected HTTP status: 503 Service Unavailable', 'target-unavailable'],
  ];
  test.each(pushes)('%s', (line, code) => {
    const failure = pushFailure('r.example/x:1', [
      'The push refers to repository [r.example/x]',
      'abc: Preparing',
      line,
      '',
    ]);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(line);
    expect(failure.lastLines).toContain(line);
  });
});

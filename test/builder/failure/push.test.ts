import { describe, expect, test } from 'vitest';
import { pushFailure } from '../../../builder/failure/registry-words.ts';

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
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'builder-failed',
    ],
    [
      'error during connect: Post "http://%2Fvar%2Frun%2Fdocker.sock/v1.41/images/x/push": EOF',
      'builder-failed',
    ],
    ['read unix @->/run/user/1000/docker.sock: read: connection reset by peer', 'builder-failed'],
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

describe('R9 a registry whose certificate the engine does not trust', () => {
  const said = 'Get "https://10.0.0.2/v2/": x509: certificate signed by unknown authority';

  test('while it is pushed to', () => {
    expect(pushFailure('10.0.0.2/x:1', ['The push refers to repository [10.0.0.2/x]', said])).toMatchObject({
      code: 'registry-untrusted',
      message: expect.stringContaining('unknown authority'),
    });
  });
});
